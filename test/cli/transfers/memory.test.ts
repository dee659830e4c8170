import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openMemory } from '../../../dist/cli/transfers/memory.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

describe('what is remembered of an unfinished transfer', () => {
  it('is found by the same key in a later run, until it is forgotten', async () => {
    const folder = `${await temporaryFolder()}/uploads`
    const key = ['http://example.org', 'user:1', 'a.bin', 17] as const
    expect(await openMemory(folder, key).recall()).toBeUndefined()
    await openMemory(folder, key).save({ id: 'x' })
    expect(await openMemory(folder, key).recall()).toEqual({ id: 'x' })
    expect(await openMemory(folder, [...key.slice(0, 3), 18]).recall()).toBeUndefined()
    await openMemory(folder, key).forget()
    await openMemory(folder, key).forget()
    expect(await readdir(folder)).toEqual([])
  })

  it('is busy while the program goes on that wrote it', async () => {
    const folder = await temporaryFolder()
    const memory = openMemory(folder, ['a'])
    await memory.save({ id: 'x' })
    const [name] = await readdir(folder)
    const file = `${folder}/${name}`
    const notes = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(file, JSON.stringify({ ...notes, pid: process.ppid }))
    expect(await memory.recall()).toBe('busy')
    // No process has this number.
    await writeFile(file, JSON.stringify({ ...notes, pid: 2 ** 30 }))
    expect(await memory.recall()).toEqual({ id: 'x' })
  })

  it('is nothing when its file is damaged, and can be read by its owner only', async () => {
    const folder = await temporaryFolder()
    const memory = openMemory(folder, ['a'])
    await memory.save({ id: 'x' })
    const file = `${folder}/${(await readdir(folder))[0]}`
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    await writeFile(file, '{"id": ')
    expect(await memory.recall()).toBeUndefined()
  })

  it('is nothing where its folder cannot be, and nothing fails by that', async () => {
    const file = `${await temporaryFolder()}/file`
    await writeFile(file, '')
    const memory = openMemory(`${file}/uploads`, ['a'])
    expect([await memory.save({ id: 'x' }), await memory.recall(), await memory.forget()]).toEqual([
      false,
      undefined,
      undefined,
    ])
    expect(await openMemory(await temporaryFolder(), ['a']).save({ id: 'x' })).toBe(true)
  })

  it('is removed by the next one after a month, and no other file with it', async () => {
    const folder = await temporaryFolder()
    await openMemory(folder, ['old']).save({ id: 'x' })
    const [old] = await readdir(folder)
    await openMemory(folder, ['recent']).save({ id: 'y' })
    const recent = (await readdir(folder)).filter((name) => name !== old)
    await writeFile(`${folder}/notes.json`, 'of somebody else')
    await writeFile(`${folder}/${old}.12345`, 'of a run that was killed')
    const days = (count: number) => new Date(Date.now() - count * 24 * 60 * 60_000)
    for (const name of [old, 'notes.json', `${old}.12345`]) await utimes(`${folder}/${name}`, days(31), days(31))
    await utimes(`${folder}/${recent[0]}`, days(29), days(29))
    await openMemory(folder, ['new']).save({ id: 'z' })
    expect(await openMemory(folder, ['old']).recall()).toBeUndefined()
    expect(await openMemory(folder, ['recent']).recall()).toEqual({ id: 'y' })
    expect(await openMemory(folder, ['new']).recall()).toEqual({ id: 'z' })
    const left = await readdir(folder)
    expect(left).toHaveLength(3)
    expect(left).toContain('notes.json')
  })
})
