import { mkdir, truncate, writeFile } from 'node:fs/promises'
import type { JobRecord } from '../../dist/protocol/jobs.js'
import { isCluster } from '../run/is-cluster.js'
import { eventually } from './eventually.js'
import { type Owner, placeFile } from './placed-files.js'
import type { TestServer } from './server.js'
import { temporaryFolder } from './temporary-folder.js'

/** For a curl whose transfer is to be stopped: slow, and yet it soon has read what its connection holds, and sees its end. */
export const slowly = ['--limit-rate', '8M']

/**
 * More than the buffers of a connection hold, and half a minute for who goes `slowly`, so that its job keeps running. A bucket has
 * no holes that cost nothing: there it is a quarter of that.
 */
const largeBytes = (isCluster ? 64 : 256) * 1024 ** 2

/** A file of zeros, for uploads that a test stops. */
export async function largeFile(): Promise<string> {
  const path = `${await temporaryFolder()}/large.bin`
  await makeLarge(path)
  return path
}

/** Puts a file of zeros into an account's space (`role/username`), by hand where that is possible, for exports that a test stops. */
export async function putLarge(server: Pick<TestServer, 'dataFolder'>, owner: Owner, name: string): Promise<void> {
  if (isCluster) return placeFile(server.dataFolder, owner, name, new Uint8Array(largeBytes))
  await mkdir(`${server.dataFolder}/uploads/${owner.space}`, { recursive: true })
  await makeLarge(`${server.dataFolder}/uploads/${owner.space}/${name}`)
}

async function makeLarge(path: string): Promise<void> {
  await writeFile(path, '')
  await truncate(path, largeBytes)
}

/** Waits until the account's job of a kind has moved some bytes. */
export function untilMoving(url: string, token: string, kind: string): Promise<JobRecord> {
  return eventually(`a ${kind} moves bytes`, async () => {
    const answer = await fetch(`${url}/jobs?state=running&kind=${kind}`, {
      headers: { Authorization: `Bearer ${token}` },
    })
    const { jobs } = (await answer.json()) as { jobs: JobRecord[] }
    return jobs.find((job) => job.bytes > 0)
  })
}

/** Waits until the account's newest job of a kind is in a state. */
export function untilState(url: string, token: string, kind: string, state: string): Promise<JobRecord> {
  return eventually(`the ${kind} is ${state}`, async () => {
    const answer = await fetch(`${url}/jobs?kind=${kind}&limit=1`, { headers: { Authorization: `Bearer ${token}` } })
    const { jobs } = (await answer.json()) as { jobs: JobRecord[] }
    return jobs.find((job) => job.state === state)
  })
}
