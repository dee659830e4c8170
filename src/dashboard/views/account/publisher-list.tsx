import type { PublisherList } from '../../../protocol/publishers.js'
import { publishedPath, routes } from '../../../protocol/routes.js'
import { callApi } from '../../api.js'
import { Icon } from '../../parts/icon.js'
import { useLoaded } from '../../parts/loaded.js'
import { Empty, Failed, Loading } from '../../parts/states.js'
import { say } from '../../words/say.js'

/** For clients: the ops accounts, so that no name has to be known. */
export function Publishers() {
  const { value, error, reload } = useLoaded(
    'publishers',
    (signal) => callApi<PublisherList>('GET', routes.published, { signal }),
    { watch: true },
  )
  if (error !== undefined && !value) return <Failed error={error} onRetry={reload} />
  if (!value) return <Loading rows={3} />
  if (value.publishers.length === 0) {
    return (
      <Empty icon="folder" title={say('publishers.none')}>
        {say('publishers.noneHint')}
      </Empty>
    )
  }
  return (
    <ul class="plain-list" aria-label={say('publishers.title')}>
      {value.publishers.map(({ username, name }) => (
        <li key={username}>
          <a class="table-link" href={`${publishedPath(username)}/`}>
            <span class="kind-icon small">
              <Icon name="folder" />
            </span>
            <span class="table-words">
              <strong>{username}</strong>
              {name && <span class="dim">{name}</span>}
            </span>
            <Icon name="chevron" />
          </a>
        </li>
      ))}
    </ul>
  )
}
