import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Caller } from '../helpers/calls.js'
import { damageFile } from '../helpers/damage.js'
import { openClient } from '../helpers/program.js'
import { startTestServer } from '../helpers/server.js'
import { makeTable } from '../helpers/tables.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('filejobs doctor', () => {
  it('reports entries of uploads/ that no request can reach', async () => {
    const { dataFolder, doctor } = await closedServer()
    const folder = join(dataFolder, 'uploads/user/ann')
    for (const name of ['U\u0308ber', 'back\\slash', 'tab\there', 'x'.repeat(241)])
      await writeFile(join(folder, name), '')
    await mkdir(join(folder, 'o\u0308'))
    await writeFile(join(folder, 'o\u0308/not shown'), '')
    await symlink('a', join(folder, 'link'))
    execFileSync('sh', ['-c', 'mkfifo pipe; touch "$(printf "bad\\377")"; touch ../stray ../../stray'], { cwd: folder })
    const { code, report } = await doctor()
    const said = report.unserved.map(({ path, why }: { path: string; why: string }) => [
      path.slice(`${dataFolder}/uploads/`.length),
      why,
    ])
    expect(code).toBe(0)
    expect(Object.fromEntries(said)).toEqual({
      'user/ann/U\u0308ber': expect.stringContaining('NFC'),
      'user/ann/back\\slash': expect.stringContaining('backslash'),
      'user/ann/tab\there': expect.stringContaining('control character'),
      [`user/ann/${'x'.repeat(241)}`]: expect.stringContaining('240 bytes'),
      'user/ann/o\u0308': expect.stringContaining('NFC'),
      'user/ann/link': 'it is a symbolic link',
      'user/ann/pipe': 'it is neither a file nor a folder',
      'user/ann/bad\ufffd': expect.stringContaining('not valid UTF-8'),
      'user/stray': 'it is not the folder of an account',
      stray: 'it is not the folder of a role',
    })
  })

  it('reports removed folders that are still on the disk, and deletes them with --fix', async () => {
    const { dataFolder, doctor } = await closedServer()
    const path = join(dataFolder, 'partial/x.discarded')
    await mkdir(join(path, 'files/sub'), { recursive: true })
    await writeFile(join(path, 'files/sub/file'), 'x')
    expect((await doctor()).report.leftovers).toEqual([{ path, bytes: null, why: expect.stringContaining('removed') }])
    expect((await doctor('--fix')).report.leftovers).toMatchObject([{ path }])
    expect((await doctor()).report.leftovers).toEqual([])
  })

  it('with --verify reads every file and table, reports damaged ones and exits with 8', async () => {
    const { dataFolder, doctor, client } = await closedServer()
    expect(await doctor('--verify')).toMatchObject({
      code: 0,
      report: { integrity: { intact: 4, unknown: 0, damaged: [] } },
    })
    const restored = await temporaryFolder()
    execFileSync('cp', ['-a', `${dataFolder}/.`, restored])
    await writeFile(join(restored, 'uploads/user/ann/by-hand'), 'x')
    const table = join(restored, 'tables/user/ann/sales')
    const parquet = join(table, (await readdir(table)).find((name) => name.endsWith('.parquet'))!)
    await chmod(parquet, 0o600)
    const damaged = [join(restored, 'uploads/user/ann/sub/b'), parquet]
    for (const path of damaged) damageFile(path)
    const found = await doctor('--verify', '--data', restored)
    expect(found).toMatchObject({ code: 8, report: { integrity: { intact: 2, unknown: 1 } } })
    expect(found.report.integrity.damaged.map(({ path }: { path: string }) => path)).toEqual(damaged)
    const { stdout } = await client.run(['doctor', '--data', restored, '--verify'])
    expect(stdout).toContain(`Damaged:\n  ${damaged[0]}: its SHA-256 is `)
    expect(stdout).not.toContain('All is in order')
  })

  it('with --verify compares files restored without their times, and reports changed and missing ones', async () => {
    const { dataFolder, doctor, client } = await closedServer()
    const restored = await temporaryFolder()
    execFileSync('cp', ['-r', `${dataFolder}/.`, restored])
    expect(await doctor('--verify', '--data', restored)).toMatchObject({
      code: 0,
      report: { integrity: { intact: 4, unknown: 0, damaged: [], changed: [], missing: [] } },
    })
    const uploads = join(restored, 'uploads/user/ann')
    await writeFile(join(uploads, 'a'), 'cut')
    await rm(join(uploads, 'sub'), { recursive: true })
    const metadata = join(restored, 'meta/user/ann/names/a.json')
    const found = await doctor('--verify', '--data', restored)
    expect(found).toMatchObject({
      code: 0,
      report: { integrity: { damaged: [], changed: [join(uploads, 'a')], missing: [join(uploads, 'sub/b')] } },
    })
    const { stdout } = await client.run(['doctor', '--data', restored, '--verify'])
    expect(stdout).toContain(`or not copied:\n  ${join(uploads, 'sub/b')}\n`)
    expect(stdout).not.toContain('All is in order')
    await writeFile(metadata, '{"name":')
    expect(await doctor('--verify', '--data', restored)).toMatchObject({
      code: 8,
      report: { integrity: { damaged: [{ path: metadata }] } },
    })
  })
})

describe('filejobs doctor --verify, after a crash or a full disk,', () => {
  it('takes metadata that was not written for missing, and finds no fault in what no file has', async () => {
    const { dataFolder, doctor } = await closedServer()
    const meta = join(dataFolder, 'meta/user/ann/names')
    const { size } = await stat(join(meta, 'a.json'))
    await writeFile(join(meta, 'a.json'), '')
    await writeFile(join(meta, 'sub.d/b.json'), Buffer.alloc(size))
    await writeFile(join(meta, 'never published.json'), '')
    await writeFile(join(meta, 'half written.json'), '{"versions":[{"sha')
    expect(await doctor('--verify')).toMatchObject({
      code: 0,
      report: { integrity: { intact: 2, unknown: 2, damaged: [], changed: [], missing: [] } },
    })
  })
})

describe('filejobs export', () => {
  it('of a file damaged by a restore fails with the reason', async () => {
    const { dataFolder, token } = await closedServer()
    damageFile(join(dataFolder, 'uploads/user/ann/a'))
    const moved = await temporaryFolder()
    execFileSync('cp', ['-a', `${dataFolder}/.`, moved])
    const server = await startTestServer({ dataFolder: moved })
    onTestFinished(() => server.close())
    const client = await openClient(server.url, token)
    const { code, stderr } = await client.run(['export', 'a', '-o', join(moved, 'out')])
    expect({ code, stderr }).toEqual({ code: 8, stderr: expect.stringContaining('"a" is damaged') })
    expect(await readdir(moved)).not.toContain('out')
  })
})

/** The data folder of a server that has stored three files and a table of ann's, and was closed. */
async function closedServer() {
  const dataFolder = await temporaryFolder()
  const server = await startTestServer({ dataFolder })
  const token = await server.logIn('ann')
  const ann = new Caller(server, token)
  for (const name of ['a', 'sub/b']) expect((await ann.put(name, 'bytes')).status).toBe(201)
  await makeTable(ann, 'sales', 'city,sales\nRome,1\n')
  await server.close()
  const client = await openClient()
  return {
    dataFolder,
    token,
    client,
    async doctor(...args: string[]) {
      const { code, stdout } = await client.run(['doctor', '--data', dataFolder, '--json', ...args])
      return { code, report: JSON.parse(stdout) }
    },
  }
}
