import { useState } from 'preact/hooks'
import { routes } from '../../../protocol/routes.js'
import type { CheckReport, ServerState } from '../../../protocol/server-state.js'
import { formatDuration } from '../../../protocol/units.js'
import { callApi } from '../../api.js'
import { toastError } from '../../parts/toasts.js'
import { formatShortTime } from '../../words/format.js'
import { say } from '../../words/say.js'

/** The last check of what is stored, and a button that runs another one. */
export function StorageCheckPanel({ check, onChecked }: { check: ServerState['check']; onChecked(): void }) {
  const [isAsked, setAsked] = useState(false)
  const isRunning = isAsked || check.isRunning

  async function run() {
    setAsked(true)
    try {
      await callApi<CheckReport>('POST', routes.serverCheck)
    } catch (error) {
      toastError(say('server.notChecked'), error)
    }
    setAsked(false)
    onChecked()
  }

  return (
    <section class="panel" aria-labelledby="check">
      <header class="panel-head">
        <h2 id="check">{say('server.check')}</h2>
        <button type="button" disabled={isRunning} onClick={run}>
          {say(isRunning ? 'server.checking' : 'server.runCheck')}
        </button>
      </header>
      <div role="status">
        {check.last ? <Report report={check.last} /> : <p class="dim">{say('server.checkText')}</p>}
      </div>
    </section>
  )
}

function Report({ report }: { report: CheckReport }) {
  const { startedAt, endedAt, isComplete, findings, omitted, node } = report
  const took = formatDuration(Date.parse(endedAt) - Date.parse(startedAt))
  const damages = findings.filter(({ severity }) => severity === 'damage').length
  const summary = [
    ...(damages > 0 ? [say('server.damages', { count: damages })] : []),
    ...(findings.length > damages ? [say('server.notes', { count: findings.length - damages + omitted })] : []),
  ].join(', ')
  return (
    <>
      <p>
        <span class={`state ${damages > 0 ? 'failed' : findings.length > 0 ? 'waiting' : 'done'}`}>
          {summary || say('server.inOrder')}
        </span>{' '}
        <span class="dim">
          {say('server.checked', { time: formatShortTime(endedAt), node, took })}
          {!isComplete && ` ${say('server.checkCut')}`}
        </span>
      </p>
      {findings.length > 0 && (
        <ul class="findings">
          {findings.map(({ severity, subject, fault }) => (
            <li key={`${subject} ${fault}`}>
              <span class={`state ${severity === 'damage' ? 'failed' : 'waiting'}`}>
                {say(`server.severity.${severity}`)}
              </span>{' '}
              {subject}: {fault}
            </li>
          ))}
          {omitted > 0 && <li class="dim">{say('server.moreFindings', { count: omitted })}</li>}
        </ul>
      )}
    </>
  )
}
