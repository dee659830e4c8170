import { FileName } from '../../parts/file-name.js'
import { Icon } from '../../parts/icon.js'
import { say } from '../../words/say.js'
import { baseOf } from './entries.js'
import { type FolderPlace, hrefOfFolder } from './place.js'

/** The way to the open folder: each folder above it is a link, and the last one is the heading of the view. */
export function Breadcrumbs({ place }: { place: FolderPlace }) {
  const { folder, ops } = place
  const top = ops ?? say('files.title')
  if (folder === '') return <h1>{say('files.title')}</h1>
  const above = foldersAbove(folder)
  return (
    <div class="breadcrumbs">
      <nav aria-label={say('files.path')}>
        <ol>
          {above.map((one) => (
            <li key={one}>
              <a href={hrefOfFolder(place, one)} data-folder={one}>
                {one === '' ? top : <FileName name={baseOf(one)} />}
              </a>
              <Icon name="chevron" />
            </li>
          ))}
        </ol>
      </nav>
      <h1>
        <FileName name={baseOf(folder)} />
      </h1>
    </div>
  )
}

/** `['', 'photos/']` for `photos/2024/`. */
function foldersAbove(folder: string): string[] {
  const ends = [...folder.matchAll(/\//g)].map(({ index }) => folder.slice(0, index + 1))
  return ['', ...ends.slice(0, -1)]
}
