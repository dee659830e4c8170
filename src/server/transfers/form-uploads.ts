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

/** Who reads a form. */
export interface FormReader {
  onFile(file: FormFile): Promise<void>
  /** Bytes of files taken so far: what a form has beside them is limited. */
  fileBytes(): number
  signal: AbortSignal
}

export interface FormUpload extends UploadRequest {
  /** Bytes of the whole body, null where the sender does not know. */
  bodySize: number | null
  /** Reads the form and hands over its files, each as soon as it begins. Resolves at the form's end. */
  read(reader: FormReader): Promise<void>
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
    const arrived: { file: FormFile; partial?: Partial }[] = []
    const onFile = async (file: FormFile) => {
      // Noted before anything waits: the next file may begin meanwhile, and answers keep the form's order.
      for (const { file: other } of arrived) checkBeside(file.name, other.name)
      const entry: (typeof arrived)[number] = { file }
      arrived.push(entry)
      run.job.file ??= file.name
      await files.checkName(space, file.name)
      entry.partial = await run.createPartial()
      await run.receive(file.body, entry.partial)
    }
    form.begin(run.job)
    await form.read({ onFile, fileBytes: () => run.job.bytes, signal: run.flow.signal })
    if (arrived.length === 0) throw new Problem('invalid-request', 'The form has no file in it.', { field: 'file' })

    const settled: { file: FormFile; partial: Partial; sha256: string }[] = []
    for (const { file, partial } of arrived) {
      if (partial) settled.push({ file, partial, sha256: await run.settle(partial, null) })
    }
    await run.commit()
    const published: StoredFile[] = []
    for (const { file, partial, sha256 } of settled) {
      try {
        published.push((await partial.publish({ space, name: file.name, type: file.type, sha256 })).file)
      } catch (error) {
        throw listing(
          error,
          published,
          settled.slice(published.length).map((entry) => entry.file.name),
        )
      }
    }
    return { files: published, job: run.job }
  })
}

/** Throws where two files of a form cannot be stored side by side: of one name, or one below the other. */
function checkBeside(name: string, other: string): void {
  if (name === other) {
    throw new Problem('invalid-request', `The form has two files named "${name}".`, { field: 'filename', name })
  }
  if (name.startsWith(`${other}/`) || other.startsWith(`${name}/`)) {
    throw new Problem('name-conflict', `The form has "${other}" and "${name}": one of them would be a folder.`, {
      name,
    })
  }
}

function listing(error: unknown, published: StoredFile[], failed: string[]): Problem {
  const problem = asProblem(error)
  const details = { ...problem.details, published: published.map((file) => file.name), failed }
  return new Problem(problem.code, problem.message, details, { cause: problem.cause })
}
