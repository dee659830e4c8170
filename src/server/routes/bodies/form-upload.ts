import type { HttpBindings } from '@hono/node-server'
import { requestLength } from '../../../protocol/body-length.js'
import { Problem } from '../../../protocol/problems.js'
import type { Identity } from '../../auth/identity.js'
import type { Job } from '../../jobs/job.js'
import type { PublishedFiles, StoredFile } from '../../stores/files.js'
import { type FormFile, receiveForm } from '../../transfers/form-uploads.js'
import type { Uploads } from '../../transfers/uploads.js'
import { preconditionOf } from '../headers/conditions.js'
import { parseName } from '../headers/names.js'
import { checkIsForm, openForm } from './multipart.js'
import { type UploadLink, uploadRequest } from './upload-request.js'

export interface FormUploadServices {
  uploads: Uploads
  files: Pick<PublishedFiles, 'checkName' | 'find'>
}

/** Options for other interfaces, which store files differently. */
export interface FormOptions {
  /** Only the files of this field are used; a request without one is `invalid-request`. */
  field?: string
  /** Called for the first file; the prefix of each name, with a trailing slash. */
  newFolder?: () => Promise<string>
  maxFiles?: number
  /** Conditions do not apply to its uploads. */
  link?: UploadLink
}

/**
 * Receives the files of a `multipart/form-data` request as one upload job. Throws like `openForm` and `receiveForm`.
 */
export async function receiveFormUpload(
  env: HttpBindings,
  identity: Identity,
  { uploads, files }: FormUploadServices,
  { field, newFolder, maxFiles = Number.POSITIVE_INFINITY, link }: FormOptions = {},
): Promise<{ files: StoredFile[]; job: Job }> {
  const { incoming } = env
  checkType(incoming.headers['content-type'], field)
  const readForm = openForm(incoming, field)
  const { request, done } = uploadRequest(env, identity, link)
  try {
    return await receiveForm(uploads, files, {
      ...request,
      bodySize: requestLength(incoming.headers),
      precondition: link ? {} : preconditionOf(incoming),
      async read(reader) {
        let count = 0
        let folder: Promise<string> | undefined
        const onFile = async (file: FormFile) => {
          count += 1
          if (count > maxFiles)
            throw new Problem('invalid-request', `The form has more than ${maxFiles} file.`, { field })
          if (!newFolder) return reader.onFile(file)
          folder ??= newFolder()
          await reader.onFile({ ...file, name: parseName((await folder) + file.name) })
        }
        await readForm({ ...reader, onFile })
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
