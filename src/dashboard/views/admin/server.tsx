import type { ComponentChildren } from 'preact'
import { routes } from '../../../protocol/routes.js'
import type { LimitRecord, NodeRecord, ServerState } from '../../../protocol/server-state.js'
import { formatBytes, formatDuration } from '../../../protocol/units.js'
import { callApi } from '../../api.js'
import { FactList } from '../../parts/fact-list.js'
import { useLoaded } from '../../parts/loaded.js'
import { Failed, Loading } from '../../parts/states.js'
import { UsedBar } from '../../parts/used-bar.js'
import { formatRate } from '../../words/amounts.js'
import { formatNumber, formatShortTime } from '../../words/format.js'
import { say } from '../../words/say.js'
import { LogPanel } from './log-panel.js'
import { StorageCheckPanel } from './storage-check-panel.js'

/** The server, for admins: what runs, how much room there is, its limits, a check, and its log. */
export default function ServerPanels() {
  const { value, error, reload } = useLoaded(
    'server',
    (signal) => callApi<ServerState>('GET', routes.server, { signal }),
    { watch: true },
  )
  return (
    <>
      <header class="view-head">
        <h1>{say('view.server')}</h1>
      </header>
      {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
      {!value && error === undefined && <Loading rows={3} />}
      {value && (
        <>
          <ServerFacts server={value} />
          {value.storage === 'database' && <Nodes nodes={value.nodes} />}
          <StorageCheckPanel check={value.check} onChecked={reload} />
        </>
      )}
      {(value || error !== undefined) && <LogPanel node={value?.storage === 'database' ? value.node : null} />}
      {value && <Limits limits={value.limits} />}
    </>
  )
}

function ServerFacts({ server }: { server: ServerState }) {
  const { fault, disk, engine, storage } = server
  const facts: [string, ComponentChildren][] = [
    [say('server.state'), <State fault={fault} />],
    [say('server.version'), server.version],
    [say('server.uptime'), formatDuration(server.uptimeSeconds * 1000)],
    [say('server.runtime'), server.runtime],
    [say('server.machine'), server.node],
    [say('server.storage'), say(`server.storage.${storage}`)],
    [say('server.tables'), engineWords(engine)],
    [say(`server.disk.${storage}`), disk === null ? say('server.noAnswer') : <Disk {...disk} />],
  ]
  return (
    <section class="panel" aria-label={say('server.whatRuns')}>
      <FactList facts={facts} />
    </section>
  )
}

function State({ fault }: { fault: string | null }) {
  if (fault === null) return say('server.takesWork')
  return <span class="bad-words">{say('server.takesNone', { fault })}</span>
}

function engineWords({ name, version }: ServerState['engine']): string {
  return version === null ? say('server.notInstalled', { engine: name }) : `${name} ${version}`
}

function Disk({ freeBytes, totalBytes }: NonNullable<ServerState['disk']>) {
  const part = totalBytes === 0 ? 0 : 1 - freeBytes / totalBytes
  return (
    <>
      {say('server.diskFree', { free: formatBytes(freeBytes), total: formatBytes(totalBytes) })}
      <UsedBar part={part} label={say('server.diskUsed')} />
    </>
  )
}

function Nodes({ nodes }: { nodes: NodeRecord[] | null }) {
  return (
    <section class="panel" aria-labelledby="nodes">
      <header class="panel-head">
        <h2 id="nodes">{say('server.nodes')}</h2>
      </header>
      {nodes === null ? (
        <p class="dim">{say('server.nodesUnknown')}</p>
      ) : (
        <div class="scroll-x">
          <table class="list nodes">
            <thead>
              <tr>
                <th scope="col">{say('server.machine')}</th>
                <th scope="col">{say('server.state')}</th>
                <th scope="col" class="wide-only">
                  {say('server.address')}
                </th>
                <th scope="col" class="wide-only">
                  {say('server.nodeVersion')}
                </th>
                <th scope="col" class="number">
                  {say('server.since')}
                </th>
              </tr>
            </thead>
            <tbody>
              {nodes.map((node) => (
                <tr key={node.number ?? node.name}>
                  <th scope="row">
                    {node.name}
                    {node.isSelf && <span class="dim"> {say('server.self')}</span>}
                  </th>
                  <td>
                    <span class={`state ${node.isAlive ? 'done' : 'failed'}`}>
                      {say(node.isAlive ? 'server.alive' : 'server.noAnswer')}
                    </span>
                  </td>
                  <td class="wide-only">{node.address ?? say('server.notListening')}</td>
                  <td class="wide-only">{node.version ?? say('server.older')}</td>
                  <td class="number">{formatShortTime(node.startedAt)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

function Limits({ limits }: { limits: LimitRecord[] }) {
  return (
    <section class="panel" aria-labelledby="limits">
      <header class="panel-head">
        <h2 id="limits">{say('server.limits')}</h2>
      </header>
      <div class="limits">
        <FactList facts={limits.map((limit) => [limit.option, limitWords(limit)])} />
      </div>
    </section>
  )
}

function limitWords({ value, unit }: LimitRecord): string {
  if (value === null) return say('server.noLimit')
  if (typeof value === 'boolean') return say(value ? 'server.on' : 'server.off')
  if (typeof value === 'string') return value.replaceAll(',', ', ')
  if (unit === 'bytes') return formatBytes(value)
  if (unit === 'bytes/s') return formatRate(value)
  return unit === 'ms' ? timeWords(value) : formatNumber(value)
}

function timeWords(milliseconds: number): string {
  const days = milliseconds / 86_400_000
  return days >= 2 && Number.isInteger(days) ? say('amount.days', { count: days }) : formatDuration(milliseconds)
}
