import { createHash } from 'node:crypto'
import pLimit from 'p-limit'
import type { Database } from '../postgres/database.js'
import type { Bucket } from './bucket.js'
import { isMissingKey } from './bucket-errors.js'
import { ContentReader } from './content-reader.js'
import type { ContentObject } from './objects.js'

/** A file, as far as its bytes are compared with its digest. */
export interface VerifiedFile {
  content: string
  account: string
  name: string
  sha256: string
}

export interface VerifyOptions {
  /** Files that need not be read. */
  isSkipped: (content: string) => boolean
  addDamage: (file: VerifiedFile, why: string) => void
}

/** Reads all files, and compares them with their digests. Returns the number of those that match. */
export async function verifyContents(
  sql: Database,
  bucket: Bucket,
  { isSkipped, addDamage }: VerifyOptions,
): Promise<number> {
  const reading = pLimit(4)
  let intact = 0
  const verify = async (file: VerifiedFile) => {
    const found = await digestOf(sql, bucket, file.content)
    if (found === file.sha256) intact += 1
    // It may have been replaced or removed meanwhile.
    else if ((await sql`select from files where content = ${file.content}`).length > 0) {
      addDamage(file, found ? `its SHA-256 is ${found}, but ${file.sha256} was recorded` : 'an object of it is missing')
    }
  }
  const rows = sql<VerifiedFile[]>`select content, account, name, sha256 from files order by account, path`
  for await (const page of rows.cursor(500)) {
    const wanted = page.filter(({ content }) => !isSkipped(content))
    await Promise.all(wanted.map((file) => reading(() => verify(file))))
  }
  return intact
}

/** Undefined if an object is missing. */
async function digestOf(sql: Database, bucket: Bucket, content: string): Promise<string | undefined> {
  const objects = await sql<ContentObject[]>`
    select key, position, size from objects where content = ${content} and state = 'live' order by position`
  const hash = createHash('sha256')
  const reader = new ContentReader(bucket, objects)
  try {
    for await (const chunk of reader.chunks()) hash.update(chunk)
    return hash.digest('hex')
  } catch (error) {
    if (isMissingKey(error)) return undefined
    throw error
  } finally {
    reader.close()
  }
}
