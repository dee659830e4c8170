import { createHash } from 'node:crypto'
import pLimit from 'p-limit'
import type { Database } from '../postgres/database.js'
import type { Bucket } from './bucket.js'
import { isMissingKey } from './bucket-errors.js'
import { ContentReader } from './content-reader.js'
import type { ContentObject } from './objects.js'
import { type OwnedContent, ownedContents } from './owned-contents.js'

export interface VerifyOptions {
  /** What need not be read. */
  isSkipped: (content: string) => boolean
  addDamage: (owner: OwnedContent, why: string) => void
}

/** Reads all files and imports, and compares them with their digests. Returns the number of those that can be read, and match if they have one. */
export async function verifyContents(
  sql: Database,
  bucket: Bucket,
  { isSkipped, addDamage }: VerifyOptions,
): Promise<number> {
  const reading = pLimit(4)
  let intact = 0
  const verify = async (file: OwnedContent) => {
    const found = await digestOf(sql, bucket, file.content)
    if (found !== undefined && found === (file.sha256 ?? found)) intact += 1
    // It may have been replaced or removed meanwhile.
    else if ((await sql`select from ${ownedContents(sql)} where content = ${file.content}`).length > 0) {
      addDamage(file, found ? `its SHA-256 is ${found}, but ${file.sha256} was recorded` : 'an object of it is missing')
    }
  }
  const rows = sql<OwnedContent[]>`select * from ${ownedContents(sql)} order by account, name`
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
