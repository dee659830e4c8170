import { readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openTransferState } from '../../../dist/cli/transfers/transfer-state.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

describe('the resume state of a transfer', () => {
  it('is found by the same key in a later run until it is deleted', async () => {
    const folder = `${await temporaryFolder()}/uploads`
    const key = ['http://example.org', 'user:1', 'a.bin', 17] as const
    expect(await openTransferState(folder, key).recall()).toBeUndefined()
    await openTransferState(folder, key).save({ id: 'x' })
    expect(await openTransferState(folder, key).recall()).toEqual({ id: 'x' })
    expect(await openTransferState(folder, [...key.slice(0, 3), 18]).recall()).toBeUndefined()
    await openTransferState(folder, key).forget()
    await openTransferState(folder, key).forget()
    expect(await readdir(folder)).toEqual([])
  })

  it('is locked while the process that wrote it is running', async () => {
    const folder = await temporaryFolder()
    const transferState = openTransferState(folder, ['a'])
    await transferState.save({ id: 'x' })
    const [name] = await readdir(folder)
    const file = `${folder}/${name}`
    const notes = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(file, JSON.stringify({ ...notes, pid: process.ppid }))
    expect(await transferState.recall()).toBe('busy')
    // No process has this number.
    await writeFile(file, JSON.stringify({ ...notes, pid: 2 ** 30 }))
    expect(await transferState.recall()).toEqual({ id: 'x' })
  })

  it('is found after a run that was killed while it took it over or saved it', async () => {
    const folder = await temporaryFolder()
    await openTransferState(folder, ['other']).save({ id: 'y' })
    const [other] = await readdir(folder)
    const transferState = openTransferState(folder, ['a'])
    await transferState.save({ id: 'x' })
    const file = `${folder}/${(await readdir(folder)).find((name) => name !== other)}`
    await rename(file, `${file}.${process.ppid}`)
    expect(await transferState.recall()).toBeUndefined()
    await rename(`${file}.${process.ppid}`, `${file}.${2 ** 30}`)
    expect(await transferState.recall()).toEqual({ id: 'x' })
    expect(await readdir(folder)).toHaveLength(2)
  })

  it('is undefined if its file is damaged, and readable by its owner only', async () => {
    const folder = await temporaryFolder()
    const transferState = openTransferState(folder, ['a'])
    await transferState.save({ id: 'x' })
    const file = `${folder}/${(await readdir(folder))[0]}`
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    await writeFile(file, '{"id": ')
    expect(await transferState.recall()).toBeUndefined()
  })

  it('is undefined if its folder cannot be created, without an error', async () => {
    const file = `${await temporaryFolder()}/file`
    await writeFile(file, '')
    const transferState = openTransferState(`${file}/uploads`, ['a'])
    expect([await transferState.save({ id: 'x' }), await transferState.recall(), await transferState.forget()]).toEqual(
      [false, undefined, undefined],
    )
    expect(await openTransferState(await temporaryFolder(), ['a']).save({ id: 'x' })).toBe(true)
  })

  it('is deleted by a later run after a month, along with no other file', async () => {
    const folder = await temporaryFolder()
    await openTransferState(folder, ['old']).save({ id: 'x' })
    const [old] = await readdir(folder)
    await openTransferState(folder, ['recent']).save({ id: 'y' })
    const recent = (await readdir(folder)).filter((name) => name !== old)
    await writeFile(`${folder}/notes.json`, 'of somebody else')
    await writeFile(`${folder}/${old}.12345`, 'of a run that was killed')
    const days = (count: number) => new Date(Date.now() - count * 24 * 60 * 60_000)
    for (const name of [old, 'notes.json', `${old}.12345`]) await utimes(`${folder}/${name}`, days(31), days(31))
    await utimes(`${folder}/${recent[0]}`, days(29), days(29))
    await openTransferState(folder, ['new']).save({ id: 'z' })
    expect(await openTransferState(folder, ['old']).recall()).toBeUndefined()
    expect(await openTransferState(folder, ['recent']).recall()).toEqual({ id: 'y' })
    expect(await openTransferState(folder, ['new']).recall()).toEqual({ id: 'z' })
    const left = await readdir(folder)
    expect(left).toHaveLength(3)
    expect(left).toContain('notes.json')
  })
})
