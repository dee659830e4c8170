import { spawnSync } from 'node:child_process'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { Caller } from './calls.js'
import { startTestServer } from './server.js'
import { temporaryFolder } from './temporary-folder.js'

/** Whether a test can have a disk of its own to fill. */
export const canMount =
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  spawnSync('sh', ['-c', 'd=$(mktemp -d); mount -t tmpfs -o size=1m tmpfs $d && umount $d; s=$?; rmdir $d; exit $s'])
    .status === 0
if (!canMount) console.log('no file system can be mounted here: the tests of a full disk are skipped')

/** A server whose data lies on a disk of 20 MiB, with two accounts. It must have logged no error at the end. */
export async function startOnSmallDisk() {
  const folder = await mountSmallDisk()
  const server = await startTestServer({ dataFolder: join(folder, 'data'), shutdownGraceMs: 0 })
  onTestFinished(async () => {
    await server.close()
    expect(server.errors).toEqual([])
  })
  const [ann, bob] = [new Caller(server, await server.logIn('ann')), new Caller(server, await server.logIn('bob'))]
  return {
    ann,
    bob,
    folder,
    partials: () => readdir(join(folder, 'data/partial')),
    /** Takes so much of the disk, or what there is. */
    fill: (bytes?: number) => fillDisk(folder, bytes),
    /** Gives back what `fill` took. */
    free: () => rm(join(folder, 'ballast')),
  }
}

/** The folder of a disk of 20 MiB, which lasts as long as the test. */
export async function mountSmallDisk(): Promise<string> {
  const folder = await temporaryFolder()
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', folder])
  onTestFinished(() => void spawnSync('umount', ['-l', folder]))
  return folder
}

/** Takes so much of the disk, or what there is: all of it where nothing is said. */
export async function fillDisk(folder: string, bytes = 20 * 1024 ** 2): Promise<void> {
  await writeFile(join(folder, 'ballast'), Buffer.alloc(bytes)).catch(() => {})
}
