import { once } from 'node:events'
import type http from 'node:http'
import type https from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** The origin of a server on a free port. It is closed with the test. */
export async function listening(server: http.Server | https.Server, scheme: string): Promise<string> {
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`
}
