import { useEffect, useState } from 'preact/hooks'
import type { Receipt } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import { formatBytes } from '../../protocol/units.js'
import { me } from '../account.js'
import { callApi, Refusal } from '../api.js'
import { findLive } from '../live/job-store.js'
import { Bar } from '../parts/bar.js'
import { FileName } from '../parts/file-name.js'
import { askToStop } from '../parts/stop-jobs.js'
import { toastError, toastReceipt } from '../parts/toasts.js'
import { describe } from '../uploads/chosen-files.js'
import { type ChosenFile, chosenFiles, inFolder } from '../uploads/dropped-files.js'
import { filesOfHandles, forgetHandles, keptHandles } from '../uploads/kept-handles.js'
import { openUnfinished, type Unfinished } from '../uploads/unfinished.js'
import { enqueue } from '../uploads/upload-queue.js'
import { say } from '../words/say.js'

/** Uploads that were interrupted: they resume when the same files are chosen again. */
export function UnfinishedRows({ uploads }: { uploads: readonly Unfinished[] }) {
  const [, setTurn] = useState(0)
  if (uploads.length === 0) return null
  return (
    <ul class="plain-list unfinished">
      {uploads.map((upload) => (
        <UnfinishedRow key={upload.id} upload={upload} onDiscarded={() => setTurn((before) => before + 1)} />
      ))}
    </ul>
  )
}

function UnfinishedRow({ upload, onDiscarded }: { upload: Unfinished; onDiscarded(): void }) {
  const { id, name, size } = upload
  const job = findLive(id)?.record
  const bytes = job?.bytes ?? 0
  const [handles, setHandles] = useState<FileSystemHandle[] | undefined>(undefined)
  useEffect(() => {
    keptHandles(id)
      .then(setHandles)
      .catch(() => {})
  }, [id])

  async function resume() {
    try {
      if (handles) resumeWith(upload, ofUpload(upload, await filesOfHandles(handles)))
    } catch (error) {
      const isRefused = error instanceof DOMException && error.name === 'NotAllowedError'
      const words = say(isRefused ? 'unfinished.notAllowed' : 'unfinished.gone')
      toastError(say('unfinished.notResumed'), new Error(words, { cause: error }))
      if (isRefused) return
      setHandles(undefined)
      await forgetHandles(id)
    }
  }

  return (
    <li class="upload" data-unfinished={name}>
      <div class="upload-main">
        <div class="upload-title">
          <FileName name={name} />
          <span class="upload-words">
            {say('unfinished.arrived', { bytes: formatBytes(bytes), size: formatBytes(size) })}
          </span>
        </div>
        <Bar percent={(bytes / size) * 100} label={say('unfinished.bar', { name })} tone="held" />
      </div>
      <div class="job-actions">
        {handles ? (
          <button type="button" aria-label={say('unfinished.resumeOne', { name })} onClick={resume}>
            {say('unfinished.resume')}
          </button>
        ) : (
          <ChooseAgain upload={upload} />
        )}
        <button
          type="button"
          class="plain"
          onClick={() => askToStop(job ? [job] : [], () => discard(upload).then(onDiscarded))}
        >
          {say('unfinished.discard')}
        </button>
      </div>
    </li>
  )
}

function ChooseAgain({ upload }: { upload: Unfinished }) {
  const { name, many } = upload
  if (many === 'drop') return <span class="dim">{say('unfinished.drop')}</span>
  return (
    <label class="button">
      <span>{say('unfinished.choose')}</span>
      <input
        type="file"
        class="hidden"
        aria-label={say('unfinished.chooseOne', { name })}
        multiple={many === 'files'}
        {...(many === 'folder' ? { webkitdirectory: true } : {})}
        onChange={({ currentTarget: input }) => {
          const chosen = chosenFiles(input.files)
          input.value = ''
          resumeWith(upload, chosen)
        }}
      />
    </label>
  )
}

/** Of one file that was dropped with its folder, only that file. */
function ofUpload({ name, many, into = '' }: Unfinished, files: readonly ChosenFile[]): readonly ChosenFile[] {
  if (many || files.length === 1) return files
  const wanted = files.find((file) => file.name === name.slice(into.length))
  if (!wanted) throw new DOMException('', 'NotFoundError')
  return [wanted]
}

async function discard({ id }: Unfinished): Promise<void> {
  try {
    toastReceipt(await callApi<Receipt>('POST', jobPath(id, 'stop')))
  } catch (error) {
    if (!(error instanceof Refusal) || error.status >= 500) return toastError(say('unfinished.notDiscarded'), error)
  }
  openUnfinished(me.peek()?.account ?? '').remove(id)
}

function resumeWith({ name, size, modified, many, into = '' }: Unfinished, chosen: readonly ChosenFile[]): void {
  const [first] = chosen
  if (!first) return
  const { identity } = describe(chosen)
  if (identity.size !== size || identity.lastModified !== modified) {
    if (many) toastError(say('unfinished.otherFiles'), new Error(say('unfinished.otherFilesText')))
    else toastError(say('unfinished.otherFile'), new Error(say('unfinished.otherFileText')))
    return
  }
  // By the name at that time: a file of a folder is chosen without its folders.
  enqueue(many ? inFolder(chosen, into) : [{ name, file: first.file, into }])
}
