import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lockDataFolder } from '../../../../dist/server/stores/local/data-lock.js'
import { eventually } from '../../../helpers/eventually.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

describe('the lock of a data folder', () => {
  it('admits one process at a time, and names it', async () => {
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

  it('admits one of many processes that start together', async () => {
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

  it('is taken over at once from a killed process', async () => {
    const folder = await temporaryFolder()
    const child = spawn(process.execPath, ['-e', code, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    await expect(lockDataFolder(folder)).rejects.toMatchObject({ code: 'busy' })
    child.kill('SIGKILL')
    await once(child, 'exit')
    await (await lockDataFolder(folder)).release()
  })

  it.runIf(process.platform === 'linux')('is taken over from a zombie process', async () => {
    const folder = await temporaryFolder()
    const script = '"$0" -e "$1" "$2" & exec sleep 600'
    const parent = spawn('sh', ['-c', script, process.execPath, code, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void parent.kill('SIGKILL'))
    const pid = Number(String((await once(parent.stdout, 'data'))[0]))
    process.kill(pid, 'SIGKILL')
    await eventually('it is a zombie', async () => / Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8')))
    await (await lockDataFolder(folder)).release()
  })

  it.runIf(process.platform === 'linux')('is taken over from an earlier process with the same process id', async () => {
    const folder = await temporaryFolder()
    await writeLock(folder, { pid: process.pid, startTime: 'boot/1', host: hostname() })
    await (await lockDataFolder(folder)).release()
  })

  it('held on another host is respected while its heartbeat continues, and taken over afterwards', async () => {
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

  it('that is unreadable is taken over when its heartbeat has stopped', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'lock'), '')
    await utimes(join(folder, 'lock'), 1_000_000, 1_000_000)
    await (await lockDataFolder(folder)).release()
  })

  it('that was copied with its folder does not lock the copy, and still locks the original', async () => {
    const [original, copy] = [await temporaryFolder(), await temporaryFolder()]
    const lock = await lockDataFolder(original)
    execFileSync('cp', ['-a', join(original, 'lock'), join(copy, 'lock')])
    const copied = await lockDataFolder(copy)
    await expect(lockDataFolder(original)).rejects.toMatchObject({ code: 'busy' })
    await expect(lockDataFolder(copy)).rejects.toMatchObject({ code: 'busy' })
    await copied.release()
    await lock.release()
  })

  it('persists when its folder is moved', async () => {
    const folder = join(await temporaryFolder(), 'data')
    await mkdir(folder)
    const lock = await lockDataFolder(folder)
    await rename(folder, `${folder}-moved`)
    await expect(lockDataFolder(`${folder}-moved`)).rejects.toMatchObject({ code: 'busy' })
    await rename(`${folder}-moved`, folder)
    await lock.release()
  })

  it('is left unchanged by a process that lost it', async () => {
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
