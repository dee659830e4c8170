import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeAccount, type TestAccount } from '../helpers/account.js'
import { shareServer } from '../helpers/shared-server.js'

const shared = shareServer()

/** Names with a slash at their end are folders. */
async function make(root: string, ...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(name.endsWith('/') ? `${root}/${name}` : dirname(`${root}/${name}`), { recursive: true })
    if (!name.endsWith('/')) await writeFile(`${root}/${name}`, 'x')
  }
}

async function makeRemote({ put, fetch }: TestAccount, ...names: string[]): Promise<void> {
  for (const name of names) {
    if (name.endsWith('/')) expect((await fetch(`/files/${name}`, { method: 'PUT' })).ok).toBe(true)
    else await put(name, 'x')
  }
}

async function emptyFolders({ fetch }: TestAccount): Promise<string[]> {
  const answer = await fetch('/files?folders=empty', { headers: { accept: 'application/x-ndjson' } })
  const lines = (await answer.text()).split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line).name)
}

describe('empty folders', () => {
  it('are created on the server by an upload, in which nothing may be hidden', async () => {
    const account = await makeAccount(shared.server)
    const { client, jobs } = account
    await make(client.home, 'p/a', 'p/b/c/', 'p/d/skip.tmp', 'p/e/', 'p/link/')
    await symlink('../a', `${client.home}/p/link/a`)
    const upload = ['upload', 'p', '--exclude', '*.tmp', '--exclude', '/e']
    const { stdout } = await client.runHere(upload)
    expect(stdout).toBe('Uploaded p (1 file, 1 B): 1 new, 1 skipped, 1 empty folder created\n')
    expect(await emptyFolders(account)).toEqual(['p/b/c/'])
    expect((await client.runHere(upload)).stdout).toBe('Uploaded p (1 file, 1 B): 1 unchanged, 1 skipped\n')
    expect((await client.runHere(['upload', 'p', '--include', '*.txt'])).stdout).toMatch(/nothing to do|1 skipped\n$/)
    expect(await jobs()).toHaveLength(1)
    expect(await emptyFolders(account)).toEqual(['p/b/c/'])
  })

  it('are all that an upload may have to send', async () => {
    const account = await makeAccount(shared.server)
    const { client, jobs } = account
    await make(client.home, 'p/', 'q/b/')
    const { stdout } = await client.runHere(['upload', 'p', 'q', '--name', 'in/', '--json'])
    const [summary, ...folders] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .reverse()
    expect(folders.map(({ name, status }) => `${status} ${name}`).sort()).toEqual(['new in/p/', 'new in/q/b/'])
    expect(summary.summary).toMatchObject({ files: 0, new: 0, foldersCreated: 2, foldersRemoved: 0, job: null })
    expect(await emptyFolders(account)).toEqual(['in/p/', 'in/q/b/'])
    expect(await jobs()).toEqual([])
  })

  it('that a server cannot have fail alone, and with --together publish nothing', async () => {
    const account = await makeAccount(shared.server)
    const { client, files } = account
    await make(client.home, 'p/a', 'p/b/', 'p/bad\nname/', 'p/taken/')
    await makeRemote(account, 'p/taken')
    const together = await client.runHere(['upload', 'p', '--together'])
    expect([together.code, together.stderr]).toEqual([2, expect.stringMatching(/Nothing was published/)])
    expect(await files()).toHaveLength(1)
    const { code, stdout, stderr } = await client.runHere(['upload', 'p'])
    expect([code, stdout]).toEqual([2, 'Uploaded p (1 file, 1 B): 1 new, 2 failed, 1 empty folder created\n'])
    expect(stderr).toMatch(/p\/taken\/: /)
    expect(await emptyFolders(account)).toEqual(['p/b/'])
  })

  it('are removed from the server by sync --delete, unless something is in them or they are excluded', async () => {
    const account = await makeAccount(shared.server)
    const { client, files } = account
    await make(client.home, 'www/a/', 'www/full/file', 'www/gone/')
    await makeRemote(account, 's/a/', 's/full/', 's/old/deep/', 's/old/', 's/kept.log/', 's/gone/x', 'beside/')
    const sync = ['sync', 'www', 's/', '--exclude', '*.log']
    expect((await client.runHere([...sync, '--delete', '-n'])).stdout).toBe(
      'new       s/full/file\nnew       s/gone/\nremoved   s/gone/x\nremoved   s/old/deep/\n' +
        'Would sync www to s/ (1 file, 1 B): 1 new, 1 removed, 1 empty folder created, 1 empty folder removed\n',
    )
    expect((await client.runHere(sync)).stdout).toMatch(/: 1 new\n$/)
    expect(await emptyFolders(account)).toEqual(['beside/', 's/a/', 's/kept.log/', 's/old/deep/'])
    expect((await client.runHere([...sync, '--delete'])).stdout).toMatch(
      /1 unchanged, 1 removed, 2 empty folders removed\n$/,
    )
    expect((await files()).map(({ name }) => name)).toEqual(['s/full/file'])
    expect(await emptyFolders(account)).toEqual(['beside/', 's/a/', 's/gone/', 's/kept.log/'])
    expect((await client.runHere([...sync, '--delete'])).stdout).toMatch(/: 1 unchanged\n$/)
  })

  it('are created here by an export, also if there is nothing else', async () => {
    const account = await makeAccount(shared.server)
    const { client } = account
    await makeRemote(account, 'p/a/b/', 'p/no.log/', 'q/')
    const names = () => readdir(client.home, { recursive: true })
    const exporting = ['export', 'p/', '--exclude', '*.log']
    expect((await client.runHere(exporting)).stdout).toBe('Exported p/ to p (0 files, 0 B): 1 empty folder created\n')
    expect((await names()).filter((name) => name.startsWith('p'))).toEqual(['p', 'p/a', 'p/a/b'])
    expect((await client.runHere(exporting)).stdout).toMatch(/: nothing to do\n$/)
    await client.runHere(['export', 'q/', '-o', 'in/'])
    expect(await names()).toContain('in/q')
    expect((await client.runHere(['export', 'none/'])).code).toBe(4)
    await rm(`${client.home}/p`, { recursive: true })
    await make(client.home, 'p/a')
    const { code, stderr } = await client.runHere(exporting)
    expect([code, stderr]).toEqual([6, expect.stringMatching(/p\/a\/b\/: .* is a file where a folder must be/)])
  })

  it('are made alike here by sync --pull --delete', async () => {
    const account = await makeAccount(shared.server)
    const { client } = account
    await makeRemote(account, 's/a/', 's/full/file', 's/was/')
    await make(client.home, 'www/full/', 'www/old/deep/', 'www/was/x', 'www/kept.log/')
    const pull = ['sync', 'www', 's/', '--pull', '--delete', '--exclude', '*.log']
    expect((await client.runHere([...pull, '-n'])).stdout).toBe(
      'new       s/full/file\nremoved   s/was/x\nnew       s/a/\nremoved   s/old/deep/\n' +
        'Would sync s/ to www (1 file, 1 B): 1 new, 1 removed, 1 empty folder created, 1 empty folder removed\n',
    )
    expect((await client.runHere(pull)).stdout).toMatch(/1 new, 1 removed, 2 empty folders created, 2 .* removed\n$/)
    const names = (await readdir(`${client.home}/www`, { recursive: true })).sort()
    expect(names).toEqual(['a', 'full', 'full/file', 'kept.log', 'was'])
    expect((await client.runHere(pull)).stdout).toMatch(/: 1 unchanged\n$/)
  })
})
