import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { shareServer } from '../helpers/shared-server.js'

const shared = shareServer()

async function write(home: string, files: Record<string, string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(`${home}/${name}`), { recursive: true })
    await writeFile(`${home}/${name}`, content)
  }
}

describe('filejobs sync', () => {
  it('makes the folder on the server like the one here, and removes nothing without --delete', async () => {
    const { client, put, files } = await makeAccount(shared.server)
    await put('site/old', 'old')
    await put('site/gone', 'gone')
    await put('beside', 'x')
    await write(client.home, { 'www/old': 'new', 'www/a/b': 'b' })
    const names = async () => (await files()).map(({ name }) => name)
    const dry = await client.runHere(['sync', 'www', 'site/', '--delete', '--dry-run'])
    expect(dry.stdout).toBe(
      'new       site/a/b\nreplaced  site/old\nremoved   site/gone\n' +
        'Would sync www to site/ (2 files, 4 B): 1 new, 1 replaced, 1 removed\n',
    )
    expect(await names()).toEqual(['beside', 'site/gone', 'site/old'])
    const first = await client.runHere(['sync', 'www', 'site/'])
    expect(first).toEqual({ code: 0, stdout: 'Synced www to site/ (2 files, 4 B): 1 new, 1 replaced\n', stderr: '' })
    expect(await names()).toEqual(['beside', 'site/a/b', 'site/gone', 'site/old'])
    const second = await client.runHere(['sync', 'www', 'site/', '--delete'])
    expect(second.stdout).toBe('Synced www to site/ (2 files, 4 B): 2 unchanged, 1 removed\n')
    expect(await names()).toEqual(['beside', 'site/a/b', 'site/old'])
  })

  it('keeps what an exclude matches, on either side', async () => {
    const { client, put, files } = await makeAccount(shared.server)
    await put('site/keep.log', 'x')
    await put('site/drop', 'x')
    await write(client.home, { 'www/a': 'a', 'www/here.log': 'x' })
    const push = ['sync', 'www', 'site/', '--delete', '--exclude', '*.log']
    expect((await client.runHere(push)).stdout).toMatch(/1 new, 1 removed/)
    expect((await files()).map(({ name }) => name)).toEqual(['site/a', 'site/keep.log'])
    await client.runHere([...push, '--pull'])
    expect((await readdir(`${client.home}/www`)).sort()).toEqual(['a', 'here.log'])
  })

  it('removes nothing if something here could not be read', async () => {
    const { client, put, files } = await makeAccount(shared.server)
    await put('site/x', 'x')
    await write(client.home, { 'www/a': 'a', 'www/bad\nname': 'x' })
    const { code, stderr } = await client.runHere(['sync', 'www', 'site/', '--delete'])
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/Kept 1 file that only the server has, because not everything here could be read/),
    ])
    expect((await files()).map(({ name }) => name)).toEqual(['site/a', 'site/x'])
    await rm(`${client.home}/www`, { recursive: true })
    expect((await client.runHere(['sync', 'www', 'site/', '--delete'])).code).toBe(4)
    expect(await files()).toHaveLength(2)
  })

  it('makes the folder here like the one on the server with --pull', async () => {
    const { client, put } = await makeAccount(shared.server)
    await put('site/a/b', 'b')
    await put('site/c', 'new')
    await write(client.home, { 'www/c': 'mine', 'www/x/y': 'y' })
    await symlink('c', `${client.home}/www/link`)
    const pull = ['sync', 'www', 'site/', '--pull', '--delete']
    const dry = await client.runHere([...pull, '-n'])
    expect(dry.stdout).toMatch(/^new {7}site\/a\/b\nreplaced {2}site\/c\nremoved {3}site\/x\/y\nWould sync /)
    expect(await readFile(`${client.home}/www/c`, 'utf8')).toBe('mine')
    expect((await client.runHere(pull)).stdout).toMatch(/: 1 new, 1 replaced, 1 removed\n$/)
    expect((await readdir(`${client.home}/www`, { recursive: true })).sort()).toEqual(['a', 'a/b', 'c', 'link'])
    expect((await client.runHere(pull)).stdout).toMatch(/: 2 unchanged\n$/)
  })

  it.each([
    [['www', 'site'], /write site\/ for the folder/],
    [['www', 'site/', '--pull', '--together'], /--together is for the server/],
  ])('rejects %j', async (args, message) => {
    const { client } = await makeAccount(shared.server)
    await write(client.home, { 'www/a': 'a' })
    expect(await client.runHere(['sync', ...args])).toMatchObject({ code: 2, stderr: expect.stringMatching(message) })
  })
})
