import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { inject, onTestFinished } from 'vitest'
import { type Clock, systemClock } from '../../../dist/server/clock.js'
import { Bucket } from '../../../dist/server/stores/s3/bucket.js'
import { parseBucketAddress } from '../../../dist/server/stores/s3/bucket-address.js'
import type { DownloadConnection } from '../../../dist/server/stores/s3/download-connection.js'
import { testBucket, testCredentials } from './bucket-server.js'

/** Whether there is an S3 server; without one the tests are skipped. */
export const hasBucket = inject('bucket') !== null

export interface TestBucket {
  bucket: Bucket
  prefix: string
  /** The keys of all objects, without the prefix. */
  keys(): string[]
}

export interface TestBucketOptions {
  prefix?: string
  origin?: string
  clock?: Clock
  idleMs?: number
  retryMs?: number
  /** Of the bucket; default: the one that exists. */
  name?: string
  credentials?: typeof testCredentials
}

/** A prefix of the running test in the bucket of all tests. */
export function openTestBucket(options: TestBucketOptions = {}): TestBucket {
  const { origin } = inject('bucket')!
  const { prefix = `test-${randomUUID()}`, name = testBucket, clock = systemClock } = options
  const { credentials = testCredentials, idleMs = 60_000, retryMs = 120_000 } = options
  const address = parseBucketAddress(`s3://${name}/${prefix}?endpoint=${options.origin ?? origin}`)
  const bucket = new Bucket({ address, credentials, clock, idleMs, retryMs })
  onTestFinished(() => bucket.close())
  return { bucket, prefix, keys: () => keysBelow(prefix) }
}

/** This many bytes of a download. */
export async function downloaded(download: DownloadConnection, bytes: number): Promise<Buffer> {
  const content = Buffer.alloc(bytes)
  return content.subarray(0, await download.read(content))
}

/** The keys of all objects of the tests' bucket that begin with `prefix` and a slash, without it. */
export function keysBelow(prefix: string): string[] {
  const folder = join(inject('bucket')!.folder, prefix)
  if (!existsSync(folder)) return []
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).sort()
}
