import { useCallback, useEffect, useState } from 'preact/hooks'
import { me } from '../../account.js'
import { Refusal } from '../../api.js'
import { Empty } from '../../parts/states.js'
import { say } from '../../words/say.js'
import { Publishers } from '../account/publisher-list.js'
import { Breadcrumbs } from './breadcrumbs.js'
import { useEntryActions } from './entry-actions.js'
import { useListing } from './folder-listing.js'
import { FolderPanel } from './folder-panel.js'
import { hrefOfPreview, LazyPreview } from './lazy-preview.js'
import { hrefOfOps, isUsername, OpsForm } from './ops-form.js'
import { publishedPlace } from './place.js'
import { openPublishers } from './publishers.js'

/** For clients: the published files of the ops account that is chosen above. */
export function PublishedView({ ops, folder }: { ops: string; folder: string }) {
  const publishers = openPublishers(me.value?.account ?? '')
  const [known, setKnown] = useState(publishers.list)
  const note = (change: 'add' | 'remove') => {
    publishers[change](ops)
    setKnown(publishers.list())
  }
  return (
    <>
      <header class="view-head">
        <Breadcrumbs place={publishedPlace(ops, folder)} />
      </header>
      {folder === '' && (
        <section class="panel" aria-label={say('files.whose')}>
          <OpsForm ops={ops} />
          {known.length > 0 && (
            <nav class="publishers" aria-labelledby="opened">
              <span id="opened" class="dim">
                {say('files.openedBefore')}
              </span>
              {known.map((name) => (
                <a key={name} class="button chip" href={hrefOfOps(name)} aria-current={isSame(name, ops) && 'page'}>
                  {name}
                </a>
              ))}
            </nav>
          )}
        </section>
      )}
      {ops === '' && (
        <section class="panel" aria-label={say('files.publishedFiles')}>
          <header class="panel-head">
            <h2>{say('publishers.title')}</h2>
          </header>
          <Publishers />
        </section>
      )}
      {ops !== '' && !isUsername(ops) && <NoSuchAccount ops={ops} />}
      {isUsername(ops) && (
        <Published key={ops} ops={ops} folder={folder} onAnswer={(isThere) => note(isThere ? 'add' : 'remove')} />
      )}
    </>
  )
}

interface PublishedProps {
  ops: string
  folder: string
  /** Called with whether the account exists. */
  onAnswer(isThere: boolean): void
}

function Published({ ops, folder, onAnswer }: PublishedProps) {
  const place = publishedPlace(ops, folder)
  const listing = useListing(place)
  const { level, entries } = listing
  const reload = useCallback(() => level.reload(), [level])
  const actions = useEntryActions(listing)
  const error = level.error.value
  const isMissing = error instanceof Refusal && error.code === 'account-not-found'
  useEffect(() => {
    if (entries || isMissing) onAnswer(!isMissing)
  }, [entries !== undefined, isMissing])
  if (isMissing) return <NoSuchAccount ops={ops} />
  return (
    <>
      <FolderPanel
        label={say('files.publishedBy', { ops })}
        listing={listing}
        head={
          // Clients cannot see the jobs of others, so new files are not announced.
          <button type="button" onClick={reload}>
            {say('files.refresh')}
          </button>
        }
        none={
          <Empty icon="folder" title={say('files.nonePublished')}>
            {say(folder === '' ? 'files.nonePublishedText' : 'files.emptyPublishedText', { ops })}
          </Empty>
        }
        actions={actions}
        hrefOfFile={(file) => hrefOfPreview(listing, file)}
      />
      <LazyPreview listing={listing} actions={actions} />
    </>
  )
}

function NoSuchAccount({ ops }: { ops: string }) {
  return (
    <section class="panel" role="alert">
      <Empty icon="search" title={say('files.noSuchAccount')}>
        {say('files.noSuchAccountText', { ops })}
      </Empty>
    </section>
  )
}

/** Usernames are case-insensitive. */
function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
