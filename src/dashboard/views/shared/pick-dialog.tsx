import { useState } from 'preact/hooks'
import type { FolderLevelList } from '../../../protocol/folders.js'
import { routes } from '../../../protocol/routes.js'
import { callApi } from '../../api.js'
import { Dialog } from '../../parts/dialog.js'
import { FileName } from '../../parts/file-name.js'
import { Icon } from '../../parts/icon.js'
import { useLoaded } from '../../parts/loaded.js'
import { Failed, Loading } from '../../parts/states.js'
import { say } from '../../words/say.js'

/** Asks for one file or folder of the account. */
export function PickDialog({ onPick, onClose }: { onPick(name: string): void; onClose(): void }) {
  const [prefix, setPrefix] = useState('')
  return (
    <Dialog title={say('pick.title')} onClose={onClose}>
      <PathSteps prefix={prefix} onOpen={setPrefix} />
      <Level key={prefix} prefix={prefix} onOpen={setPrefix} onPick={onPick} />
      <div class="buttons">
        <button type="button" onClick={onClose}>
          {say('shared.cancel')}
        </button>
        {prefix !== '' && (
          <button type="button" class="primary" onClick={() => onPick(prefix)}>
            {say('pick.here')}
          </button>
        )}
      </div>
    </Dialog>
  )
}

/** The way from everything to here; each step opens its folder. */
function PathSteps({ prefix, onOpen }: { prefix: string; onOpen(prefix: string): void }) {
  const steps = prefix.split('/').slice(0, -1)
  return (
    <nav class="path-steps" aria-label={say('pick.path')}>
      <button type="button" class="plain" onClick={() => onOpen('')}>
        {say('pick.all')}
      </button>
      {steps.map((step, at) => (
        <span key={at}>
          <span aria-hidden="true">/</span>
          <button type="button" class="plain" onClick={() => onOpen(`${steps.slice(0, at + 1).join('/')}/`)}>
            <FileName name={step} />
          </button>
        </span>
      ))}
    </nav>
  )
}

interface LevelProps {
  prefix: string
  onOpen(prefix: string): void
  onPick(name: string): void
}

function Level({ prefix, onOpen, onPick }: LevelProps) {
  const query = { delimiter: '/', prefix, natural: 1, ignoreCase: 1, limit: entriesShown }
  const { value, error, reload } = useLoaded(`level ${prefix}`, (signal) =>
    callApi<FolderLevelList>('GET', routes.files, { query, signal }),
  )
  if (error !== undefined && !value) return <Failed error={error} onRetry={reload} />
  if (!value) return <Loading rows={3} />
  const { folders, files, next } = value
  if (folders.length + files.length === 0) return <p class="dim">{say('pick.none')}</p>
  return (
    <>
      <ul class="pick-list">
        {folders.map(({ name }) => (
          <li key={name}>
            <button type="button" aria-label={say('pick.open', { name })} onClick={() => onOpen(name)}>
              <Icon name="folder" />
              <FileName name={name.slice(prefix.length)} />
              <Icon name="chevron" />
            </button>
          </li>
        ))}
        {files.map(({ name }) => (
          <li key={name}>
            <button type="button" aria-label={say('pick.share', { name })} onClick={() => onPick(name)}>
              <Icon name="file" />
              <FileName name={name.slice(prefix.length)} />
            </button>
          </li>
        ))}
      </ul>
      {next !== null && <p class="hint">{say('pick.more')}</p>}
    </>
  )
}

const entriesShown = 500
