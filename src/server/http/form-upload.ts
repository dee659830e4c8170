import type { HttpBindings } from '@hono/node-server'
import { Problem } from '../../protocol/problems.js'
import type { Identity } from '../auth/identity.js'
import type { Job } from '../jobs/job.js'
import type { FileStore, StoredFile } from '../stores/files.js'
import { type FormFile, receiveForm } from '../transfers/form-uploads.js'
import type { Uploads } from '../transfers/uploads.js'
import { checkIsForm, readForm } from './multipart.js'
import { parseName } from './names.js'
import { uploadRequest } from './upload-request.js'

export interface FormUploadServices {
  uploads: Uploads
  files: FileStore
}

/** Where another interface asks for more than "every file of the form under its own name". */
export interface FormWishes {
  /** Only the files of this field count; a request without one is `invalid-request`. */
  field?: string
  /** Chosen when the first file comes; goes before each name, with a slash at its end. */
  newFolder?: () => Promise<string>
  /** How many files there may be at most. */
  most?: number
}

/** Receives the files of a `multipart/form-data` request as one upload job. Throws what `readForm` and `receiveForm` throw. */
export async function receiveFormUpload(
  env: HttpBindings,
  identity: Identity,
  { uploads, files }: FormUploadServices,
  { field, newFolder, most = Number.POSITIVE_INFINITY }: FormWishes = {},
): Promise<{ files: StoredFile[]; job: Job }> {
  const { incoming } = env
  checkType(incoming.headers['content-type'], field)
  const { request, done } = uploadRequest(env, identity)
  try {
    const length = incoming.headers['content-length']
    return await receiveForm(uploads, files, {
      ...request,
      bodySize: length === undefined ? null : Number(length),
      async read(reader) {
        let count = 0
        let folder: Promise<string> | undefined
        const onFile = async (file: FormFile) => {
          count += 1
          if (count > most) throw new Problem('invalid-request', `The form has more than ${most} file.`, { field })
          if (!newFolder) return reader.onFile(file)
          folder ??= newFolder()
          await reader.onFile({ ...file, name: parseName((await folder) + file.name) })
        }
        await readForm(incoming, { ...reader, onFile }, field)
        if (count === 0 && field !== undefined) throw noFile(field)
      },
    })
  } finally {
    done()
  }
}

function checkType(contentType: string | undefined, field: string | undefined): void {
  try {
    checkIsForm(contentType)
  } catch (error) {
    throw field === undefined ? error : noFile(field)
  }
}

function noFile(field: string): Problem {
  return new Problem('invalid-request', `The form has no file in its field "${field}".`, { field })
}
