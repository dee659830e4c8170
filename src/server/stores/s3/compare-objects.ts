import type { Database } from '../postgres/database.js'
import type { Bucket, ListedObject } from './bucket.js'

/** An object that is a row, an object of the bucket, or both. */
export interface ComparedObject {
  key: string
  row: ObjectRow | undefined
  object: ListedObject | undefined
}

export interface ObjectRow {
  key: string
  content: string
  /** Its bytes that count. */
  size: number
  state: 'pending' | 'stored' | 'live' | 'garbage'
  createdAt: Date
  /** Whether servers would have removed it long ago. */
  isOverdue: boolean
}

/** All rows of objects and all objects of the bucket, by key. Both may change meanwhile: look again at what does not match. */
export async function* compareObjects(database: Database, bucket: Bucket): AsyncGenerator<ComparedObject> {
  const objects = bucket.list(objectPrefix)
  try {
    let object = await nextOf(objects)
    for await (const row of rowsByKey(database)) {
      while (object && object.key < row.key) {
        yield { key: object.key, row: undefined, object }
        object = await nextOf(objects)
      }
      const isBoth = object?.key === row.key
      yield { key: row.key, row, object: isBoth ? object : undefined }
      if (isBoth) object = await nextOf(objects)
    }
    for (; object; object = await nextOf(objects)) yield { key: object.key, row: undefined, object }
  } finally {
    await objects.return(undefined)
  }
}

/** The row and the object of a key as they are now. */
export async function findObject(
  database: Database,
  bucket: Bucket,
  key: string,
): Promise<{ row: ObjectRow | undefined; size: number | undefined }> {
  const [row] = await database<ObjectRow[]>`select ${columns(database)} from objects where key = ${key}`
  return { row, size: await bucket.head(key) }
}

async function* rowsByKey(database: Database): AsyncGenerator<ObjectRow> {
  // The order of the bucket.
  const rows = database<ObjectRow[]>`select ${columns(database)} from objects order by key collate "C"`
  for await (const page of rows.cursor(1000)) yield* page
}

/** Servers remove garbage within seconds of its time, unless a reader keeps it. */
function columns(sql: Database) {
  return sql`key, content, size, state, created_at,
    coalesce(state = 'garbage' and not_before < clock_timestamp() - interval '1 hour'
      and not exists (select from object_readers where object_readers.content = objects.content), false) as is_overdue`
}

async function nextOf(objects: AsyncGenerator<ListedObject>): Promise<ListedObject | undefined> {
  const { value, done } = await objects.next()
  return done ? undefined : value
}

const objectPrefix = 'o/'
