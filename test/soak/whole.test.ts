import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { programFile } from '../helpers/program.js'
import { startServe } from '../helpers/serve.js'
import { hasProgram } from '../helpers/system-programs.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const run = promisify(execFile)
const GiB = 1024 ** 3
const password = 'correct horse'
const hasTools = hasProgram('curl') && hasProgram('wget')
if (!hasTools) console.log('curl or wget is missing: the tests that need them are skipped')

describe.skipIf(!hasTools)('4 GiB, uploaded and exported again, are identical', () => {
  it('by the client, curl, wget and pipes', async () => {
    const folder = await temporaryFolder()
    const source = join(folder, 'source')
    const sha256 = await writeRandom(source, 4 * GiB)
    const { url } = await startServe()
    const token = await logIn(url)
    const as = `-H 'Authorization: Bearer ${token}'`
    const filejobs = `'${process.execPath}' '${programFile}'`
    const shell = (command: string) =>
      run('bash', ['-o', 'pipefail', '-c', command], {
        cwd: folder,
        env: { ...process.env, HOME: folder, FILEJOBS_SERVER: url, FILEJOBS_TOKEN: token },
      })
    const uploads = {
      client: `${filejobs} upload source --name client`,
      'curl-T': `curl -sSf -T source ${as} ${url}/files/curl-T`,
      'curl-F': `curl -sSf -F 'file=@source;filename=curl-F' ${as} ${url}/upload`,
      'wget-put': `wget -q -O - --method=PUT --body-file=source --header='Authorization: Bearer ${token}' ${url}/files/wget-put`,
      pipe: `cat source | ${filejobs} upload - --name pipe`,
    }
    const exports = {
      client: `${filejobs} export client -o copy`,
      'curl-T': `curl -sSf -o copy ${as} ${url}/files/curl-T`,
      'curl-F': `curl -sSf -o copy -X POST -H 'Content-Type: application/json' -d '{"filename":"curl-F"}' ${as} ${url}/export`,
      'wget-put': `wget -q -O copy --header='Authorization: Bearer ${token}' ${url}/files/wget-put`,
      pipe: `${filejobs} export pipe -o - | cat > copy`,
    }
    for (const name of Object.keys(uploads) as (keyof typeof uploads)[]) {
      await shell(uploads[name])
      await shell(exports[name])
      expect({ name, sha256: await digestOf(join(folder, 'copy')) }).toEqual({ name, sha256 })
      await shell(`rm copy; ${filejobs} rm ${name}`)
    }
  })
})

describe.skipIf(!hasTools)('an upload at a low rate limit for over six minutes', () => {
  it('is not cut', async () => {
    const folder = await temporaryFolder()
    const source = join(folder, 'source')
    const rate = 256 * 1024
    const sha256 = await writeRandom(source, rate * 370)
    const { url } = await startServe()
    const token = await logIn(url)
    const args = ['-sS', '--limit-rate', '256k', '-T', source, '-H', `Authorization: Bearer ${token}`]
    const began = performance.now()
    const { stdout } = await run('curl', [...args, `${url}/files/slow`])
    expect(JSON.parse(stdout)).toMatchObject({ name: 'slow', sha256 })
    expect(performance.now() - began).toBeGreaterThan(360_000)
  })
})

describe('kill -9 of the server, 50 times during uploads that overwrite one name', () => {
  it('leaves one complete version under the name, and no abandoned partial', async () => {
    const dataFolder = join(await temporaryFolder(), 'data')
    const versions = [3, 20, 45].map((mebibytes) => Buffer.alloc(mebibytes * 1024 ** 2, `version ${mebibytes} `))
    const known = new Set(versions.map((version) => createHash('sha256').update(version).digest('hex')))
    let seen = 0
    for (let round = 0; round < 50; round++) {
      const server = await startServe({ dataFolder })
      const token = await logIn(server.url)
      expect(await readdir(join(dataFolder, 'partial'))).toEqual([])
      const headers = { Authorization: `Bearer ${token}` }
      const there = await fetch(`${server.url}/files/name`, { headers })
      if (there.ok) {
        seen++
        const bytes = Buffer.from(await there.arrayBuffer())
        expect(known).toContain(createHash('sha256').update(bytes).digest('hex'))
      }
      const ended = overwrite(`${server.url}/files/name`, headers, versions)
      // Some rounds hit the bytes, some the digest and the sync, some the rename.
      await new Promise((resolve) => setTimeout(resolve, 20 + ((round * 37) % 400)))
      server.child.kill('SIGKILL')
      await ended
      await server.ended()
    }
    expect(seen).toBeGreaterThan(0)
  })
})

/** Uploads the versions in turn until the server is gone. */
async function overwrite(url: string, headers: Record<string, string>, versions: Buffer[]): Promise<void> {
  for (let round = 0; ; round++) {
    const body = versions[round % versions.length]! as unknown as BodyInit
    const answer = await fetch(url, { method: 'PUT', headers, body }).catch(() => null)
    if (!answer?.ok) return
    if ((await answer.json().catch(() => null)) === null) return
  }
}

async function logIn(url: string): Promise<string> {
  const answer = await fetch(`${url}/auth/signup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'ann', password }),
  })
  return ((await answer.json()) as { token: string }).token
}

/** Returns the SHA-256. */
async function writeRandom(path: string, bytes: number): Promise<string> {
  const hash = createHash('sha256')
  const chunks = function* () {
    for (let left = bytes; left > 0; left -= 1024 ** 2) {
      const chunk = randomBytes(Math.min(left, 1024 ** 2))
      hash.update(chunk)
      yield chunk
    }
  }
  await pipeline(Readable.from(chunks()), createWriteStream(path))
  return hash.digest('hex')
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1024 ** 2 }), hash)
  return hash.digest('hex')
}
