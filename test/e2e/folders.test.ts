import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAccount } from '../helpers/account.js'
import { eventually } from '../helpers/eventually.js'
import { startTestServer, type TestServer } from '../helpers/server.js'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

async function photos() {
  const account = await makeAccount(server)
  for (const name of ['b.txt', 'photos/2', 'photos/10.jpg', 'photos/old/3.jpg']) await account.put(name, name)
  return account
}

describe('filejobs ls', () => {
  it('lists one level: folders with a slash and a count, then files, and totals', async () => {
    const { client } = await photos()
    const { stdout, stderr } = await eventually('the counts', async () => {
      const listed = await client.runHere(['ls'])
      return listed.stdout.includes('(3 files)') && listed.stderr.includes('B') ? listed : undefined
    })
    expect(stdout).toMatch(/^ +37 B {2}\d{4}-\d\d-\d\d \d\d:\d\d {2}photos\/ {2}\(3 files\)\n +5 B {2}.* b\.txt\n$/)
    expect(stderr).toBe('1 folder, 1 file, 42 B\n')
    const names = async (...args: string[]) => {
      const { stdout } = await client.runHere(['ls', '--json', ...args])
      return stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).name)
    }
    expect(await names('photos')).toEqual(['photos/old/', 'photos/10.jpg', 'photos/2'])
    expect(await names('photos/1')).toEqual(['photos/10.jpg'])
    expect(await names('--sort', 'size', '--reverse', 'photos/')).toEqual(['photos/old/', 'photos/10.jpg', 'photos/2'])
    expect(await names('photos/*.jpg')).toEqual(['photos/10.jpg'])
    expect(await names('photos/**/*.jpg')).toEqual(['photos/10.jpg', 'photos/old/3.jpg'])
    expect(await names('-R')).toEqual(['b.txt', 'photos/10.jpg', 'photos/2', 'photos/old/3.jpg'])
    expect(await names('-R', '--sort', 'size', 'photos')).toEqual(['photos/2', 'photos/10.jpg', 'photos/old/3.jpg'])
    expect((await client.runHere(['ls', '-l', 'b.txt'])).stdout).toMatch(/ [0-9a-f]{64} {2}text\/plain\S* {2}b\.txt\n$/)
    expect(await client.runHere(['ls', 'none/'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'No files match the prefix none/.\n',
    })
    expect((await client.runHere(['ls', '--sort', 'type'])).code).toBe(2)
  })
})

describe('filejobs rm', () => {
  it('of a folder without -r says that it is one, and how to remove it', async () => {
    const { client, files } = await photos()
    for (const name of ['photos', 'photos/']) {
      const { code, stderr } = await client.runHere(['rm', name])
      expect(code).toBe(2)
      expect(stderr).toBe(
        `Error: ${name} is a folder. To remove it with everything in it, run "filejobs rm -r ${name}".\n`,
      )
    }
    expect((await files()).length).toBe(4)
    expect(await client.runHere(['rm', '-r', 'photos', 'b.txt'])).toMatchObject({
      code: 0,
      stdout: 'Removed photos/\nRemoved b.txt\n',
    })
    expect(await files()).toEqual([])
    expect((await client.runHere(['rm', '-r', 'photos'])).code).toBe(4)
    expect((await client.runHere(['rm', '-r', 'b.txt/'])).code).toBe(4)
  })
})

describe('filejobs mv', () => {
  it('moves a folder with everything in it, with or without slashes', async () => {
    const { client, files } = await photos()
    const names = async () => (await files()).map(({ name }) => name)
    expect((await client.runHere(['mv', 'photos/', 'pictures/'])).stdout).toBe('Moved photos/ to pictures/\n')
    expect(await names()).toEqual(['b.txt', 'pictures/10.jpg', 'pictures/2', 'pictures/old/3.jpg'])
    expect((await client.runHere(['mv', 'pictures', 'in/'])).stdout).toBe('Moved pictures/ to in/pictures/\n')
    expect((await client.runHere(['mv', 'in/pictures/', 'b.txt'])).code).toBe(6)
    expect((await client.runHere(['mv', 'in/', 'in/deeper/'])).code).toBe(6)
    expect((await client.runHere(['mv', 'none/', 'x/'])).code).toBe(4)
    expect((await client.runHere(['mv', 'none', 'x'])).code).toBe(4)
    expect(await names()).toEqual(['b.txt', 'in/pictures/10.jpg', 'in/pictures/2', 'in/pictures/old/3.jpg'])
  })
})

describe('filejobs mkdir', () => {
  it('creates a folder that stays, and refuses what exists unless -p is given', async () => {
    const { client, put } = await makeAccount(server)
    expect(await client.runHere(['mkdir', 'a/b', 'c/'])).toMatchObject({
      code: 0,
      stdout: 'Created a/b/\nCreated c/\n',
    })
    expect((await client.runHere(['mkdir', 'c'])).code).toBe(6)
    expect((await client.runHere(['mkdir', '-p', 'c'])).code).toBe(0)
    await put('file', 'x')
    expect((await client.runHere(['mkdir', 'file'])).code).toBe(6)
    await put('c/file', 'x')
    expect((await client.runHere(['rm', 'c/file'])).code).toBe(0)
    expect((await client.runHere(['ls'])).stdout).toMatch(/ a\/ .*\n.* c\/ .*\n.* file\n$/)
    expect(await client.runHere(['rm', 'c'])).toMatchObject({ code: 2 })
  })
})

describe('filejobs share', () => {
  it('of a folder creates a link to it, with or without a slash', async () => {
    const { client } = await photos()
    for (const name of ['photos', 'photos/']) {
      const { stdout, stderr } = await client.runHere(['share', name])
      expect(stderr).toContain('can download photos/ until')
      expect(await (await fetch(`${stdout.trim()}/old/3.jpg`)).text()).toBe('photos/old/3.jpg')
    }
    expect((await client.runHere(['share', 'none'])).code).toBe(4)
  })
})
