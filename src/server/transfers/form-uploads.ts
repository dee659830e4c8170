import type { Readable } from 'node:stream'
import { Problem } from '../../protocol/problems.js'
import type { Job } from '../jobs/job.js'
import { asProblem } from '../jobs/outcome.js'
import type { FileStore, Partial, StoredFile } from '../stores/files.js'
import type { UploadRequest, Uploads } from './uploads.js'

/** One file of a form, its name checked by `parseName`. */
export interface FormFile {
  name: string
  type: string
  body: Readable
}

export interface FormUpload extends UploadRequest {
  /** Bytes of the whole body, null where the sender does not know. */
  bodySize: number | null
  /** Reads the form and hands over its files, each as soon as it begins. Resolves at the form's end. */
  read(onFile: (file: FormFile) => Promise<void>, signal: AbortSignal): Promise<void>
}

/**
 * Receives all files of a form as one job, and publishes them one after another once all have arrived. When one cannot
 * be published, those before it stay; the error lists both.
 */
export async function receiveForm(
  uploads: Uploads,
  files: FileStore,
  form: FormUpload,
): Promise<{ files: StoredFile[]; job: Job }> {
  const space = form.identity.account
  return uploads.run(form, { file: null, totalBytes: null }, form.bodySize ?? 0, async (run) => {
    const arrived = new Map<string, { file: FormFile; partial: Partial }>()
    const onFile = async (file: FormFile) => {
      if (arrived.has(file.name)) {
        throw new Problem('invalid-request', `The form has two files named "${file.name}".`, { field: file.name })
      }
      run.job.file ??= file.name
      const partial = await run.createPartial()
      arrived.set(file.name, { file, partial })
      await files.checkName(space, file.name)
      await run.receive(file.body, partial)
    }
    form.begin(run.job)
    await form.read(onFile, run.flow.signal)
    if (arrived.size === 0) throw new Problem('invalid-request', 'The form has no file in it.', { field: 'file' })

    const settled: { file: FormFile; partial: Partial; sha256: string }[] = []
    for (const { file, partial } of arrived.values()) {
      settled.push({ file, partial, sha256: await run.settle(partial, null) })
    }
    await run.commit()
    const published: StoredFile[] = []
    for (const { file, partial, sha256 } of settled) {
      try {
        published.push((await partial.publish({ space, name: file.name, type: file.type, sha256 })).file)
      } catch (error) {
        throw listing(error, published, [...arrived.keys()].slice(published.length))
      }
    }
    return { files: published, job: run.job }
  })
}

function listing(error: unknown, published: StoredFile[], failed: string[]): Problem {
  const problem = asProblem(error)
  const details = { ...problem.details, published: published.map((file) => file.name), failed }
  return new Problem(problem.code, problem.message, details, { cause: problem.cause })
}
