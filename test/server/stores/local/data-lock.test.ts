import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lockDataFolder } from '../../../../dist/server/stores/local/data-lock.js'
import { eventually } from '../../../helpers/eventually.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

describe('the lock of a data folder', () => {
  it('lets one process in at a time, and names it', async () => {
    const folder = await temporaryFolder()
    const lock = await lockDataFolder(folder)
    await expect(lockDataFolder(folder)).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining(`process ${process.pid}`),
    })
    await lock.release()
    await (await lockDataFolder(folder)).release()
    expect(await readdir(folder)).toEqual([])
  })

  it('lets one of many in that start together', async () => {
    const folder = await temporaryFolder()
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => lockDataFolder(folder)))
    const locks = results.filter((result) => result.status === 'fulfilled')
    expect(locks).toHaveLength(1)
    await locks[0]!.value.release()
  })

  /** For a process that locks the folder it is given, and says its number. */
  const code = `import('${new URL('../../../../dist/server/stores/local/data-lock.js', import.meta.url).href}')
    .then(({ lockDataFolder }) => lockDataFolder(process.argv[1]))
    .then(() => { console.log(process.pid); setInterval(() => {}, 1000) })`

  it('is taken over at once from a process that was killed', async () => {
    const folder = await temporaryFolder()
    const child = spawn(process.execPath, ['-e', code, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    await expect(lockDataFolder(folder)).rejects.toMatchObject({ code: 'busy' })
    child.kill('SIGKILL')
    await once(child, 'exit')
    await (await lockDataFolder(folder)).release()
  })

  it.runIf(process.platform === 'linux')('is taken over from one whose parent has not heard of its end', async () => {
    const folder = await temporaryFolder()
    const script = '"$0" -e "$1" "$2" & exec sleep 600'
    const parent = spawn('sh', ['-c', script, process.execPath, code, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void parent.kill('SIGKILL'))
    const pid = Number(String((await once(parent.stdout, 'data'))[0]))
    process.kill(pid, 'SIGKILL')
    await eventually('it is a zombie', async () => / Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8')))
    await (await lockDataFolder(folder)).release()
  })

  it.runIf(process.platform === 'linux')('is taken over from an earlier process of the same number', async () => {
    const folder = await temporaryFolder()
    await writeLock(folder, { pid: process.pid, startTime: 'boot/1', host: hostname() })
    await (await lockDataFolder(folder)).release()
  })

  it('of another host holds while it beats, and is taken over once it is silent', async () => {
    const folder = await temporaryFolder()
    const path = await writeLock(folder, { pid: 1, startTime: 'boot/1', host: 'another' })
    let beat = Promise.resolve()
    const beating = setInterval(() => {
      beat = beat.then(() => utimes(path, new Date(), new Date())).catch(() => {})
    }, 50)
    onTestFinished(() => clearInterval(beating))
    await expect(lockDataFolder(folder, { silenceMs: 20_000 })).rejects.toThrow('process 1 on another')
    clearInterval(beating)
    await beat
    await (await lockDataFolder(folder, { silenceMs: 500 })).release()
  })

  it('that nobody can read is taken over once it is silent', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'lock'), '')
    await utimes(join(folder, 'lock'), 1_000_000, 1_000_000)
    await (await lockDataFolder(folder)).release()
  })

  it('is left alone by a process that lost it', async () => {
    const folder = await temporaryFolder()
    const lock = await lockDataFolder(folder)
    const path = await writeLock(folder, { pid: 1, startTime: null, host: 'another' })
    await lock.release()
    expect(await readFile(path, 'utf8')).toContain('another')
  })
})

async function writeLock(folder: string, holder: object): Promise<string> {
  const path = join(folder, 'lock')
  // Replaced, not overwritten: the old file belongs to its holder's beat.
  await writeFile(`${path}.new`, JSON.stringify({ ...holder, token: 'x' }))
  await rename(`${path}.new`, path)
  return path
}
