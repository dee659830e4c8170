import type { OwnAccountRecord, Room } from '../../../protocol/accounts.js'
import type { JobRecord } from '../../../protocol/jobs.js'
import { routes } from '../../../protocol/routes.js'
import { formatBytes } from '../../../protocol/units.js'
import { callApi } from '../../api.js'
import { isMine } from '../../live/job-store.js'
import { useLoaded } from '../../parts/loaded.js'
import { useReloadAfter } from '../../parts/reload-after.js'
import { Failed, Loading } from '../../parts/states.js'
import { say } from '../../words/say.js'

/** How much the account has stored, and how much it still may. */
export function AccountSpace() {
  const { value, error, reload } = useLoaded(
    'my space',
    (signal) => callApi<OwnAccountRecord>('GET', routes.me, { signal }),
    { watch: true },
  )
  useReloadAfter(changesSpace, reload)
  return (
    <section class="panel loads-first" aria-labelledby="space">
      <header class="panel-head">
        <h2 id="space">{say('account.space')}</h2>
      </header>
      {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
      {!value && error === undefined && <Loading rows={1} />}
      {value && (value.space ? <RoomFacts {...value.space} /> : <p class="dim">{say('account.spaceUnknown')}</p>)}
    </section>
  )
}

function RoomFacts({ used, quota, free }: Room) {
  const words = { used: formatBytes(used), free: free === null ? '' : formatBytes(free) }
  if (free === null) return <p>{say('account.usedUnlimited', words)}</p>
  if (quota === null) return <p>{say('account.usedOnly', words)}</p>
  return (
    <div class="stack">
      <p>{say('account.usedOf', { ...words, quota: formatBytes(quota) })}</p>
      <SpaceMeter part={Math.min(1, used / quota)} />
    </div>
  )
}

/** How much of the quota is used, from 0 to 1; it warns when little is left. */
function SpaceMeter({ part }: { part: number }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: browsers do not let a <meter> look like the other bars
    <div
      class={`bar ${part >= 0.9 ? 'bad' : 'upload'}`}
      role="meter"
      aria-label={say('account.meter')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(part * 100)}
    >
      <div class="bar-fill" style={{ transform: `scaleX(${part})` }} />
    </div>
  )
}

function changesSpace(job: JobRecord): boolean {
  return isMine(job) && (job.kind === 'upload' || job.kind === 'import')
}
