import { useEffect, useState } from 'preact/hooks'
import type { JobRecord, Receipt } from '../../../protocol/jobs.js'
import { jobPath } from '../../../protocol/routes.js'
import { formatBytes } from '../../../protocol/units.js'
import { me } from '../../account.js'
import { callApi, Refusal } from '../../api.js'
import { findLive, revision } from '../../live/job-store.js'
import { Bar } from '../../parts/bar.js'
import { FileName } from '../../parts/file-name.js'
import { toastError, toastReceipt } from '../../parts/toasts.js'
import { describe } from '../../uploads/chosen-files.js'
import { chosenFiles, inFolder } from '../../uploads/dropped-files.js'
import { untilUnlocked } from '../../uploads/sending-lock.js'
import { openUnfinished, type Unfinished } from '../../uploads/unfinished.js'
import { uploadItems } from '../../uploads/upload-items.js'
import { enqueue } from '../../uploads/upload-queue.js'

/** Uploads that a reload or a closed page has interrupted: they resume when the same files are chosen again. */
export function UnfinishedNote() {
  revision.value
  const [, setTurn] = useState(0)
  const unfinished = openUnfinished(me.value?.account ?? '')
  const here = new Set(uploadItems.value.map(({ status }) => status.value.jobId))
  const elsewhere = unfinished.list().filter(({ id }) => !here.has(id) && findLive(id)?.endedAt === null)
  const isUnsent = useUnsent(elsewhere.flatMap(({ id }) => findLive(id)?.record ?? []))
  const broken = elsewhere.filter(isUnsent)
  if (broken.length === 0) return null

  async function discard({ id }: Unfinished) {
    try {
      toastReceipt(await callApi<Receipt>('POST', jobPath(id, 'stop')))
    } catch (error) {
      if (!(error instanceof Refusal) || error.status >= 500) return toastError('Not discarded', error)
    }
    unfinished.remove(id)
    setTurn((before) => before + 1)
  }

  return (
    <section class="panel unfinished" aria-labelledby="unfinished">
      <header class="panel-head">
        <h2 id="unfinished">Unfinished uploads</h2>
      </header>
      <p class="dim">Choose the same files again to resume their upload.</p>
      <ul class="plain-list">
        {broken.map((upload) => {
          const bytes = findLive(upload.id)?.record.bytes ?? 0
          return (
            <li key={upload.id} class="upload" data-unfinished={upload.name}>
              <div class="upload-main">
                <div class="upload-title">
                  <FileName name={upload.name} />
                  <span class="upload-words">
                    {formatBytes(bytes)} of {formatBytes(upload.size)} have arrived
                  </span>
                </div>
                <Bar percent={(bytes / upload.size) * 100} label={`Unfinished upload of ${upload.name}`} tone="held" />
              </div>
              <div class="job-actions">
                {upload.many === 'drop' ? (
                  <span class="dim">Drop the same again</span>
                ) : (
                  <label class="button">
                    <span>Choose again</span>
                    <input
                      type="file"
                      class="hidden"
                      aria-label={`Choose ${upload.name} again`}
                      multiple={upload.many === 'files'}
                      {...(upload.many === 'folder' ? { webkitdirectory: true } : {})}
                      onChange={(event) => resume(upload, event.currentTarget)}
                    />
                  </label>
                )}
                <button type="button" class="plain" onClick={() => discard(upload)}>
                  Discard
                </button>
              </div>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

/** Filters jobs that no other tab sends; checked again with each change of a job's state. */
function useUnsent(jobs: JobRecord[]): ({ id }: { id: string }) => boolean {
  const [unsent, setUnsent] = useState<readonly string[]>([])
  const keys = jobs.map(({ id, state }) => `${id} ${state}`)
  useEffect(() => {
    const abort = new AbortController()
    setUnsent((before) => before.filter((key) => keys.includes(key)))
    for (const [index, job] of jobs.entries()) {
      untilUnlocked(job.id, abort.signal).then(() => {
        if (!abort.signal.aborted) setUnsent((before) => [...before, keys[index]!])
      })
    }
    return () => abort.abort()
  }, [keys.join()])
  return ({ id }) => unsent.some((key) => key.startsWith(id) && keys.includes(key))
}

function resume({ name, size, modified, many, into = '' }: Unfinished, input: HTMLInputElement): void {
  const chosen = chosenFiles(input.files)
  input.value = ''
  const [first] = chosen
  if (!first) return
  const { identity } = describe(chosen)
  if (identity.size !== size || identity.lastModified !== modified) {
    const [title, words] = many
      ? ['Those are other files', 'Their sizes or their times of change differ: choose the very same ones']
      : ['That is another file', 'Its size or its time of change differs: choose the very same one']
    toastError(title, new Error(`${words}, or discard the upload.`))
    return
  }
  // By the name at that time: a file of a folder is chosen without its folders.
  enqueue(many ? inFolder(chosen, into) : [{ name, file: first.file, into }])
}
