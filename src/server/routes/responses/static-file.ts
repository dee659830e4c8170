import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Context } from 'hono'
import type { AppEnv } from '../../routing/app-env.js'
import { addVary } from '../../routing/vary.js'
import { isNotModified } from '../headers/conditions.js'
import { entityTagOf } from './validators.js'

/** A file in memory that is the same for everyone, plain and compressed. */
export interface StaticFile {
  type: string
  /** Strong, including quotes, of the uncompressed bytes; each encoding has its own. */
  entityTag: string
  bytes: Buffer
  brotli: Buffer | undefined
  gzip: Buffer | undefined
}

/** Compresses text that the server has generated. */
export async function staticFile(type: string, text: string): Promise<StaticFile> {
  const bytes = Buffer.from(text)
  const params = { [constants.BROTLI_PARAM_QUALITY]: brotliQuality }
  const [brotli, zipped] = await Promise.all([promisify(brotliCompress)(bytes, { params }), promisify(gzip)(bytes)])
  return { type, entityTag: entityTagOf(bytes), bytes, brotli, gzip: zipped }
}

/** Responds with the file in an encoding that the client accepts, or with 304. */
export function answerStatic(c: Context<AppEnv>, file: StaticFile, headers: Record<string, string> = {}): Response {
  const [encoding, bytes] = encodingOf(c.req.header('accept-encoding'), file)
  // RFC 9110 section 8.8.3.3: the entity tags of two encodings of one resource differ.
  const entityTag = encoding === null ? file.entityTag : file.entityTag.replace(/"$/, `-${encoding}"`)
  const common = { ...headers, ETag: entityTag }
  addVary(c, 'Accept-Encoding')
  if (isNotModified(c.env.incoming, { entityTag })) return c.body(null, 304, common)
  return c.body(new Uint8Array(bytes), 200, {
    ...common,
    'Content-Type': file.type,
    ...(encoding === null ? {} : { 'Content-Encoding': encoding }),
  })
}

function encodingOf(accepted: string | undefined, { brotli, gzip, bytes }: StaticFile): [string | null, Buffer] {
  const accepts = (name: string) =>
    new RegExp(`(^|,)\\s*${name}\\s*(;\\s*q=(0\\.0*[1-9]|1)[0-9.]*\\s*)?(,|$)`).test(accepted ?? '')
  if (brotli && accepts('br')) return ['br', brotli]
  if (gzip && accepts('gzip')) return ['gzip', gzip]
  return [null, bytes]
}

/** The best quality, 11, takes ten times as long and saves another tenth. */
const brotliQuality = 5
