import { afterAll, beforeAll, expect } from 'vitest'
import type { ServerConfig } from '../../dist/server/config.js'
import { Caller } from './calls.js'
import { startTestServer, type TestServer } from './server.js'

export interface SharedServer {
  /** The server of the file's tests. */
  readonly server: TestServer
  /** An account that no other test uses. */
  newCaller(role?: string): Promise<Caller>
  admin(): Promise<Caller>
}

/** One server for the tests of a file; afterwards it must be alive, and must have logged no error and leaked nothing. */
export function shareServer(changes: Partial<ServerConfig> = {}): SharedServer {
  let server: TestServer
  let accounts = 0
  const leaks: string[] = []
  const onWarning = ({ message }: Error) => {
    if (/AbortSignal|garbage collection/.test(message)) leaks.push(message)
  }
  beforeAll(async () => {
    process.on('warning', onWarning)
    server = await startTestServer(changes)
  })
  afterAll(async () => {
    const { status } = await new Caller(server, '').call('/healthz')
    await server.close()
    process.off('warning', onWarning)
    expect({ status, errors: server.errors, leaks }).toEqual({ status: 200, errors: [], leaks: [] })
  })
  return {
    get server() {
      return server
    },
    async newCaller(role) {
      accounts++
      return new Caller(server, await server.logIn(`account-${accounts}`, role))
    },
    admin: async () => new Caller(server, await server.logIn('admin', 'admin')),
  }
}
