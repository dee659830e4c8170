import { routes } from '../../../../protocol/routes.js'
import type { ShareList, ShareRecord } from '../../../../protocol/shares.js'
import { callApi } from '../../../api.js'
import { useLoaded } from '../../../parts/loaded.js'
import { say } from '../../../words/say.js'

/** How many links lead to a file, and the way to them. Their place is kept until that is known. */
export function LinkFacts({ name }: { name: string }) {
  const { value, error } = useLoaded(`links ${name}`, (signal) => callApi<ShareList>('GET', routes.shares, { signal }))
  if (error !== undefined && !value) return null
  const count = value?.shares.filter((share) => leadsTo(share, name)).length
  return (
    <>
      <dt>{say('links.title')}</dt>
      <dd>
        {count === undefined && '…'}
        {count === 0 && say('files.noLinks')}
        {!!count && <a href="/shared">{say('files.links', { count })}</a>}
      </dd>
    </>
  )
}

/** Whether the file can be had by a link now. */
function leadsTo({ state, available, filename, files }: ShareRecord, name: string): boolean {
  const shown = files ?? [filename]
  const isShown = shown.some((each) => each === name || each === '' || (each.endsWith('/') && name.startsWith(each)))
  return state === 'live' && available && isShown
}
