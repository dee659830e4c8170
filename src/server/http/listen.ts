import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Problem } from '../../protocol/problems.js'

/** Where to listen. */
export interface ListenAddress {
  host: string
  /** 0 chooses a free port. */
  port: number
  /** The option that chose the port, for advice. Default: `--port`. */
  portFlag?: string
}

/** Opens the port and returns it. Throws with advice if it is in use or not allowed. */
export async function listen(server: Server, address: ListenAddress): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(explain(error, address))
    server.once('error', fail)
    server.listen({ host: address.host, port: address.port, backlog: 1024 }, () => {
      server.off('error', fail)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}

function explain(error: NodeJS.ErrnoException, { host, port, portFlag = '--port' }: ListenAddress): Error {
  const where = `${host}:${port}`
  const advice: Record<string, string> = {
    EADDRINUSE: `Another program listens on ${where} already: choose another port with ${portFlag}.`,
    EACCES: `This user may not listen on ${where}: choose a port above 1023 with ${portFlag}.`,
    EADDRNOTAVAIL: `${host} is no address of this machine: choose another one with --host.`,
    ENOTFOUND: `${host} is not a known host: choose another one with --host.`,
  }
  const message = advice[error.code ?? '']
  return message ? new Problem('busy', message, {}, { cause: error }) : error
}
