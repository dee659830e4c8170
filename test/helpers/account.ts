import type { FileRecord } from '../../dist/protocol/files.js'
import type { JobRecord } from '../../dist/protocol/jobs.js'
import { eventually } from './eventually.js'
import { placeFile } from './placed-files.js'
import { type Client, openClient } from './program.js'
import type { TestServer } from './server.js'

/** An account of the running test: its client, and what its owner sees over HTTP. */
export interface TestAccount {
  readonly client: Client
  readonly token: string
  /** Sends a request as this account. */
  fetch(path: string, init?: RequestInit): Promise<Response>
  put(name: string, content: string | Buffer): Promise<FileRecord>
  /** The same, not limited by the server: see `placeFile`. */
  place(name: string, content: string | Buffer<ArrayBuffer>): Promise<void>
  files(): Promise<FileRecord[]>
  jobs(): Promise<JobRecord[]>
  /** Lets a job go as fast as it can from now on. */
  liftLimit(id: string): Promise<void>
  /** Waits until a job is in this state. */
  untilJob(kind: string, state: string): Promise<JobRecord>
}

let made = 0

/** Makes an account with a name that no other test of the file has. */
export async function makeAccount(server: TestServer, role = 'user'): Promise<TestAccount> {
  made += 1
  const username = role === 'admin' ? 'admin' : `user${made}`
  const token = await server.logIn(username, role)
  const call = (path: string, init: RequestInit = {}) =>
    fetch(server.url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } })
  const read = async <T>(path: string, init?: RequestInit) => {
    const answer = await call(path, init)
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }
  const jobs = async () => (await read<{ jobs: JobRecord[] }>('/jobs')).jobs
  return {
    client: await openClient(server.url, token),
    token,
    fetch: call,
    put: (name, content) =>
      read<FileRecord>(`/files/${encodeURIComponent(name)}`, { method: 'PUT', body: content as BodyInit }),
    place: (name, content) => placeFile(server.dataFolder, { space: `${role}/${username}`, token }, name, content),
    files: async () => (await read<{ files: FileRecord[] }>('/files')).files,
    jobs,
    async liftLimit(id) {
      const headers = { 'content-type': 'application/json' }
      await read(`/jobs/${id}`, { method: 'PATCH', headers, body: JSON.stringify({ rateLimit: null }) })
    },
    untilJob: (kind, state) =>
      eventually(`there is a ${kind} that is ${state}`, async () =>
        (await jobs()).find((job) => job.kind === kind && job.state === state),
      ),
  }
}
