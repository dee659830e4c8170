import { useEffect, useState } from 'preact/hooks'
import { publishedPath } from '../../../protocol/routes.js'
import { me } from '../../account.js'
import { Refusal } from '../../api.js'
import { Icon } from '../../parts/icon.js'
import { Empty } from '../../parts/states.js'
import { goTo } from '../../router.js'
import { QueuedDownloads } from '../transfers/queued-downloads.js'
import { FilePanel, useFilePages } from './file-pages.js'
import { FileTable } from './file-table.js'
import { openPublishers } from './publishers.js'

/** For clients: the published files of the ops account that is chosen above. */
export function PublishedView({ ops }: { ops: string }) {
  const publishers = openPublishers(me.value?.account ?? '')
  const [known, setKnown] = useState(publishers.list)
  const note = (change: 'add' | 'remove') => {
    publishers[change](ops)
    setKnown(publishers.list())
  }
  return (
    <>
      <header class="view-head">
        <h1>Files</h1>
      </header>
      <QueuedDownloads />
      <section class="panel" aria-label="Whose files">
        <OpsForm ops={ops} />
        {known.length > 0 && (
          <nav class="publishers" aria-labelledby="opened">
            <span id="opened" class="dim">
              Opened before
            </span>
            {known.map((name) => (
              <a key={name} class="button chip" href={hrefOf(name)} aria-current={isSame(name, ops) && 'page'}>
                {name}
              </a>
            ))}
          </nav>
        )}
      </section>
      {ops === '' && (
        <section class="panel" aria-label="Published files">
          <Empty icon="folder" title="No ops account is open">
            A client account reads what ops accounts publish. Ask the publisher for the name of theirs. From a terminal:{' '}
            <code>filejobs ls ops:NAME</code>
          </Empty>
        </section>
      )}
      {ops !== '' && !isUsername(ops) && <NoSuchAccount ops={ops} />}
      {isUsername(ops) && <Published key={ops} ops={ops} onAnswer={(isThere) => note(isThere ? 'add' : 'remove')} />}
    </>
  )
}

function OpsForm({ ops }: { ops: string }) {
  const [text, setText] = useState(ops)
  const [error, setError] = useState<string | null>(null)
  useEffect(() => {
    setText(ops)
    setError(null)
  }, [ops])

  function submit(event: SubmitEvent) {
    event.preventDefault()
    // Also accepts the notation of the command line.
    const name = text.trim().replace(/^ops:|\/+$/gi, '')
    if (isUsername(name)) goTo(hrefOf(name))
    else setError(`“${name}” cannot be the name of an account.`)
  }

  return (
    <form class="ops-form" onSubmit={submit}>
      <label class="field">
        <span>Ops account</span>
        <input
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          autocapitalize="none"
          autocomplete="off"
          spellcheck={false}
          required
          aria-invalid={error !== null}
          aria-describedby={error ? 'ops-error' : undefined}
        />
      </label>
      <button type="submit" class="primary">
        Show files
      </button>
      {error && (
        <p id="ops-error" class="form-error" role="alert">
          <Icon name="alert" />
          {error}
        </p>
      )}
    </form>
  )
}

interface PublishedProps {
  ops: string
  /** Called with whether the account exists. */
  onAnswer(isThere: boolean): void
}

function Published({ ops, onAnswer }: PublishedProps) {
  const pages = useFilePages(publishedPath(ops))
  const { files, error, reload } = pages
  const isMissing = error instanceof Refusal && error.code === 'account-not-found'
  useEffect(() => {
    if (files || isMissing) onAnswer(!isMissing)
  }, [files !== undefined, isMissing])
  if (isMissing) return <NoSuchAccount ops={ops} />
  return (
    <FilePanel
      label={`Published by ${ops}`}
      pages={pages}
      files={files}
      head={
        // Clients cannot see the jobs of others, so new files are not announced.
        <button type="button" onClick={reload}>
          Refresh
        </button>
      }
      none={
        <Empty icon="folder" title="Nothing is published">
          {ops} publishes no files at the moment.
        </Empty>
      }
    >
      {(some) => <FileTable files={some} ops={ops} onChange={reload} />}
    </FilePanel>
  )
}

function NoSuchAccount({ ops }: { ops: string }) {
  return (
    <section class="panel" role="alert">
      <Empty icon="search" title="No such ops account">
        There is no ops account “{ops}”. Its name is spelled differently, or it does not publish any more.
      </Empty>
    </section>
  )
}

function hrefOf(ops: string): string {
  return `${publishedPath(ops)}/`
}

function isUsername(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/.test(text)
}

/** Usernames are case-insensitive. */
function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
