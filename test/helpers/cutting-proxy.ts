import { once } from 'node:events'
import net from 'node:net'
import { onTestFinished } from 'vitest'
import { freePort } from './ports.js'

export interface CuttingProxy {
  readonly url: string
  /** How many connections were cut so far. */
  readonly cuts: number
  /** How many bytes came from clients so far. */
  readonly bytes: number
  /** Cuts every connection that is open now. */
  cutAll(): void
  /** Swallows all bytes from now on, and ends nothing, as a network does that is gone without a word. */
  goSilent(): void
  /** Lets new connections through again; those of before stay silent. */
  endSilence(): void
  /** Cuts every connection, and takes no other until `goUp`. */
  goDown(): void
  goUp(): Promise<void>
}

/**
 * A way to the server of `url`, which is asked for anew each time where it is a function, on which connections break: each time that the next number of `afterBytes` has gone from client to
 * server, the connection that carries them is reset at both ends. Without numbers left, nothing breaks any more.
 */
export async function openCuttingProxy(url: string | (() => string), afterBytes: number[] = []): Promise<CuttingProxy> {
  const open = new Set<() => void>()
  let cuts = 0
  let bytes = 0
  let left = afterBytes.shift() ?? Number.POSITIVE_INFINITY

  let isSilent = false
  const silence = new Set<() => void>()

  const server = net.createServer((client) => {
    let isDead = isSilent
    const die = () => {
      isDead = true
    }
    silence.add(die)
    const { hostname, port } = new URL(typeof url === 'string' ? url : url())
    const upstream = net.connect({ host: hostname, port: Number(port) })
    const cut = () => {
      silence.delete(die)
      if (!open.delete(cut)) return
      client.resetAndDestroy()
      upstream.resetAndDestroy()
    }
    open.add(cut)
    client.on('data', (chunk) => {
      if (isDead) return
      if (!upstream.write(chunk)) client.pause()
      bytes += chunk.length
      left -= chunk.length
      if (left > 0) return
      left = afterBytes.shift() ?? Number.POSITIVE_INFINITY
      cuts++
      cut()
    })
    upstream.on('drain', () => client.resume())
    upstream.on('data', (chunk) => {
      if (!isDead && !client.write(chunk)) upstream.pause()
    })
    client.on('drain', () => upstream.resume())
    upstream.on('end', () => {
      if (!isDead) client.end()
    })
    for (const socket of [client, upstream]) {
      socket.on('error', () => {})
      socket.on('close', cut)
    }
    client.on('end', () => upstream.end())
  })
  // Not any port, because that could be given to somebody else while this one is down.
  const port = await freePort()
  const goUp = async () => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await goUp()
  const cutAll = () => {
    for (const cut of [...open]) cut()
  }
  const goDown = () => {
    server.close()
    cutAll()
  }
  onTestFinished(goDown)
  return {
    url: `http://127.0.0.1:${port}`,
    get cuts() {
      return cuts
    },
    get bytes() {
      return bytes
    },
    cutAll,
    goSilent() {
      isSilent = true
      for (const die of silence) die()
    },
    endSilence() {
      isSilent = false
    },
    goDown,
    goUp,
  }
}
