import { useState } from 'preact/hooks'
import type { FolderLevelList } from '../../protocol/folders.js'
import { routes } from '../../protocol/routes.js'
import { callApi } from '../api.js'
import { say } from '../words/say.js'
import { Dialog } from './dialog.js'
import { FileName } from './file-name.js'
import { Icon } from './icon.js'
import { useLoaded } from './loaded.js'
import { Failed, Loading } from './states.js'

export interface PickDialogProps {
  title: string
  /** What choosing a file does, in words. */
  fileAction(name: string): string
  /** What choosing the folder that is open does; without it, only files can be chosen. */
  folderAction?: string
  onPick(name: string): void
  onClose(): void
}

/** Asks for one file or folder of the account. */
export function PickDialog({ title, fileAction, folderAction, onPick, onClose }: PickDialogProps) {
  const [prefix, setPrefix] = useState('')
  return (
    <Dialog title={title} onClose={onClose}>
      <PathSteps prefix={prefix} onOpen={setPrefix} />
      <Level key={prefix} prefix={prefix} onOpen={setPrefix} onPick={onPick} fileAction={fileAction} />
      <div class="buttons">
        <button type="button" onClick={onClose}>
          {say('shell.cancel')}
        </button>
        {folderAction !== undefined && prefix !== '' && (
          <button type="button" class="primary" onClick={() => onPick(prefix)}>
            {folderAction}
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

interface LevelProps extends Pick<PickDialogProps, 'fileAction' | 'onPick'> {
  prefix: string
  onOpen(prefix: string): void
}

function Level({ prefix, onOpen, onPick, fileAction }: LevelProps) {
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
            <button type="button" aria-label={fileAction(name)} onClick={() => onPick(name)}>
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
