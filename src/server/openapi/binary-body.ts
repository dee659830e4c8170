import { z } from 'zod'
import { archiveTypes } from '../../protocol/archives.js'

/** Bytes, for the API document: JSON Schema 2020-12 has `contentMediaType`, but generators use `format`. */
export const binarySchema = z
  .any()
  .meta({ type: 'string', format: 'binary', contentMediaType: 'application/octet-stream' })

/** An archive of many files. */
export const archiveContent = {
  [archiveTypes.tar]: { schema: binarySchema },
  [archiveTypes.zip]: { schema: binarySchema },
}

export const binaryContent = { 'application/octet-stream': { schema: binarySchema } }
