import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { type ServeProcess, startServe } from '../helpers/serve.js'

const count = 60
const contentOf = (at: number) => `content ${at}`
const digestOf = (at: number) => createHash('sha256').update(contentOf(at)).digest('hex')

async function serverWithFolder() {
  const server = await startServe()
  const { json } = await new Caller(server, '').post('/auth/signup', { username: 'ann', password: 'correct horse' })
  const caller = new Caller(server, json.token)
  for (let at = 0; at < count; at++) await caller.put(`from/${at % 5}/${at}`, contentOf(at))
  return { server, caller }
}

async function killAndRestart(server: ServeProcess, { token }: Caller) {
  server.child.kill('SIGKILL')
  await server.ended()
  const again = await startServe({ dataFolder: server.dataFolder })
  return { again, caller: new Caller(again, token) }
}

/** The folder that has all files, with their digests. Fails if there are two. */
async function checkWhole(caller: Caller): Promise<string> {
  const { files } = (await caller.call('/files?limit=1000')).json as { files: { name: string; sha256: string }[] }
  const folders = new Set(files.map(({ name }) => name.split('/')[0]!))
  expect([...folders]).toHaveLength(1)
  expect(files).toHaveLength(count)
  for (const { name, sha256 } of files) expect(sha256, name).toBe(digestOf(Number(name.split('/').at(-1))))
  return [...folders][0]!
}

/** Lets the request get further before the server is killed, by a number of passes of the event loop. */
async function ticks(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick++) await new Promise(setImmediate)
}

describe('after a server is killed', () => {
  it('during moves of a folder, all files are at one of its names, with their digests', async () => {
    let { server, caller } = await serverWithFolder()
    for (let round = 0; round < 6; round++) {
      const from = await checkWhole(caller)
      const moving = caller.post(`/files/${from}/move`, { to: `${from}-${round}/` }).catch(() => undefined)
      await ticks(round * 40)
      const restarted = await killAndRestart(server, caller)
      await moving
      server = restarted.again
      caller = restarted.caller
      expect([from, `${from}-${round}`]).toContain(await checkWhole(caller))
    }
  })

  it('during the removal of a folder, all of it is there or all of it is gone', async () => {
    let { server, caller } = await serverWithFolder()
    for (let round = 0; round < 3; round++) {
      const removal = caller.call('/files/from/', { method: 'DELETE' }).catch(() => undefined)
      await ticks(round * 60)
      const restarted = await killAndRestart(server, caller)
      await removal
      server = restarted.again
      caller = restarted.caller
      const names = await caller.names()
      if (names.length > 0) await checkWhole(caller)
      else for (let at = 0; at < count; at++) await caller.put(`from/${at % 5}/${at}`, contentOf(at))
    }
  })
})
