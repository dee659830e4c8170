import { X509Certificate } from 'node:crypto'
import { copyFile, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import https from 'node:https'
import { join } from 'node:path'
import tls from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ListenerOptions, openListener } from '../../../dist/server/http/listener.js'
import { makeCertificate } from '../../helpers/certificate.js'
import { eventually } from '../../helpers/eventually.js'
import { hasProgram, run } from '../../helpers/system-programs.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const [first, second] = hasProgram('openssl') ? [makeCertificate(), makeCertificate()] : []

describe.skipIf(!hasProgram('openssl'))('a TLS certificate', () => {
  it('is used for new connections once both files have changed; a response under way continues', async () => {
    const { folder, files } = await copyOf(first!)
    const server = await open(files)
    const slow = https.get({ ...server.address, path: '/slow', agent: false })
    const begun = new Promise<NodeJS.ReadableStream>((resolve) => slow.once('response', resolve))
    slow.flushHeaders()
    const body = await begun
    let received = ''
    body.on('data', (chunk: Buffer) => {
      received += chunk
    })
    await replace(files, second!, folder)
    await eventually('new connections get it', async () => (await server.fingerprint()) === print(second!))
    server.finish()
    await eventually('the response under way ends', () => received === 'beginend')
    expect(server.renewals).toBe(1)
  })

  it('is found behind symbolic links, of which one to a folder is replaced', async () => {
    const folder = await temporaryFolder()
    for (const [name, source] of [
      ['one', first!],
      ['two', second!],
    ] as const) {
      const { folder: from } = await copyOf(source)
      await symlink(from, join(folder, name))
    }
    await symlink(join(folder, 'one'), join(folder, 'live'))
    const server = await open({ certFile: join(folder, 'live/cert.pem'), keyFile: join(folder, 'live/key.pem') })
    await symlink(join(folder, 'two'), join(folder, 'next'))
    await rename(join(folder, 'next'), join(folder, 'live'))
    await eventually('new connections get it', async () => (await server.fingerprint()) === print(second!))
    expect(server.faults).toEqual([])
  })

  it('is read again on request, whatever the watch has seen', async () => {
    const { folder, files } = await copyOf(first!)
    const server = await open(files, { watchTlsMs: 3_600_000 })
    await replace(files, second!, folder)
    expect(await server.fingerprint()).toBe(print(first!))
    server.renewTls()
    expect(await server.fingerprint()).toBe(print(second!))
    server.renewTls()
    expect(server.renewals).toBe(1)
  })

  it.each([
    ['the key belongs to another certificate', (files: Files) => copyFile(second!.keyFile, files.keyFile), /mismatch/],
    ['a file is missing', (files: Files) => rm(files.certFile), /Cannot read .*cert\.pem/],
    ['a file is cut', (files: Files) => writeFile(files.certFile, '-----BEGIN CERT'), /cannot be used/],
    ['the new one has expired', writeExpired, /has expired at \d/],
  ])('stays in use, and the reason is told, if %s', async (_, spoil, reason) => {
    const { files } = await copyOf(first!)
    const server = await open(files)
    await spoil(files)
    await eventually('the reason is told', () => server.faults.some((fault) => reason.test(String(fault))))
    expect(await server.fingerprint()).toBe(print(first!))
    expect(server.renewals).toBe(0)
    // The next change counts again.
    await copyFile(second!.certFile, files.certFile)
    await copyFile(second!.keyFile, files.keyFile)
    await eventually('new connections get it', async () => (await server.fingerprint()) === print(second!))
  })

  it('that does not fit its key is refused at the start, by the names of both', async () => {
    const files = { certFile: first!.certFile, keyFile: second!.keyFile }
    await expect(openListener({ ...listening, tls: files })).rejects.toThrow(/cert\.pem and the key .*key\.pem cannot/)
  })
})

type Files = ReturnType<typeof makeCertificate>

const listening = {
  host: '127.0.0.1',
  port: 0,
  descriptors: 1024,
  trustProxy: 0,
  fetch: () => new Response('hello'),
  onError: () => {},
}

async function open(files: Files, changes: Partial<ListenerOptions> = {}) {
  const faults: unknown[] = []
  let renewals = 0
  let finish = () => {}
  const slowly = new ReadableStream({
    start(controller) {
      controller.enqueue('begin')
      finish = () => {
        controller.enqueue('end')
        controller.close()
      }
    },
  }).pipeThrough(new TextEncoderStream())
  const listener = await openListener({
    ...listening,
    fetch: ({ url }: Request) => new Response(url.endsWith('/slow') ? slowly : 'hello'),
    tls: files,
    watchTlsMs: 20,
    onTlsRenewed: () => {
      renewals += 1
    },
    onTlsKept: (error) => void faults.push(error),
    ...changes,
  })
  onTestFinished(() => listener.close())
  const address = { host: '127.0.0.1', port: listener.port, rejectUnauthorized: false }
  return {
    address,
    faults,
    get renewals() {
      return renewals
    },
    finish: () => finish(),
    renewTls: () => listener.renewTls(),
    fingerprint: () =>
      new Promise<string>((resolve, reject) => {
        const socket = tls.connect(address, () => {
          resolve(socket.getPeerCertificate().fingerprint256)
          socket.destroy()
        })
        socket.once('error', reject)
      }),
  }
}

async function copyOf(source: Files) {
  const folder = await temporaryFolder()
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  await copyFile(source.certFile, files.certFile)
  await copyFile(source.keyFile, files.keyFile)
  return { folder, files }
}

/** As certbot does: links to other files take the place of the links. */
async function replace(files: Files, source: Files, folder: string) {
  for (const [from, to] of [
    [source.certFile, files.certFile],
    [source.keyFile, files.keyFile],
  ] as const) {
    await symlink(from, join(folder, 'link'))
    await rename(join(folder, 'link'), to)
  }
}

const printed = new Map<string, string>()
for (const source of [first, second]) {
  if (source) printed.set(source.certFile, new X509Certificate(await readFile(source.certFile)).fingerprint256)
}
function print({ certFile }: Files): string {
  return printed.get(certFile)!
}

async function writeExpired({ certFile, keyFile }: Files) {
  const request = `${certFile}.request`
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile]
  await run('openssl', ['req', '-new', ...key, '-subj', '/CN=127.0.0.1', '-out', request])
  const sign = ['x509', '-req', '-in', request, '-signkey', keyFile, '-days', '-1', '-out', certFile]
  expect(await run('openssl', sign)).toMatchObject({ code: 0 })
}
