import { exportPath, parsePublished } from '../../protocol/routes.js'
import { me } from '../account.js'
import { myLiveJobs } from '../live/job-store.js'
import { Icon } from '../parts/icon.js'
import { toastError } from '../parts/toasts.js'

/** Downloads a file: one of one's own, or `ops:OPS/NAME`. */
export function DownloadLink({ name }: { name: string }) {
  const label = `Download ${parsePublished(name)?.name ?? name}`
  return (
    <a
      class="icon-button"
      href={exportPath(name)}
      download={name.slice(name.lastIndexOf('/') + 1)}
      aria-label={label}
      title={label}
      onClick={(event) => {
        const other = myLiveJobs
          .peek()
          .find(
            ({ endedAt, record }) =>
              endedAt === null && record.kind === 'export' && record.account === me.peek()?.account,
          )?.record.file
        if (other == null || isSame(other, name)) return
        event.preventDefault()
        toastError('Another download is running', new Error(`${other} comes first: stop it, or wait for its end.`))
      }}
    >
      <Icon name="download" />
    </a>
  )
}

/** Usernames compare regardless of case. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [parsePublished(one), parsePublished(other)]
  return a && b ? a.ops.toLowerCase() === b.ops.toLowerCase() && a.name === b.name : one === other
}
