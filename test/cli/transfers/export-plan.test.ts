import { mkdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { planExport } from '../../../dist/cli/transfers/export-plan.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

describe('the target of an export', () => {
  it('is the last part of the name in the current folder by default', async () => {
    expect(await planExport(['x/a.csv'], undefined)).toEqual([{ name: 'x/a.csv', target: 'a.csv' }])
  })

  it('is, as with cp -r, inside an existing folder, or a new name', async () => {
    const folder = await temporaryFolder()
    await mkdir(`${folder}/there`)
    const targets = async (name: string, target: string) =>
      (await planExport([name], `${folder}/${target}`)).map((item) =>
        ('folder' in item ? item.folder : item.target).slice(folder.length + 1),
      )
    expect(await targets('x/a.csv', 'there')).toEqual(['there/a.csv'])
    expect(await targets('x/a.csv', 'new.csv')).toEqual(['new.csv'])
    expect(await targets('x/a.csv', 'new/')).toEqual(['new/a.csv'])
  })

  it('is for a folder the target itself, whether it exists or not, or inside a target with a slash at its end', async () => {
    const folder = await temporaryFolder()
    await mkdir(`${folder}/there/below`, { recursive: true })
    const target = async (path: string) => (await planExport(['x/photos/'], `${folder}/${path}`))[0]
    expect(await target('new')).toEqual({ name: 'x/photos/', folder: `${folder}/new` })
    expect(await target('there')).toEqual({ name: 'x/photos/', folder: `${folder}/there` })
    expect(await target('there/')).toEqual({ name: 'x/photos/', folder: `${folder}/there/photos` })
    expect(await target('there/.')).toEqual({ name: 'x/photos/', folder: `${folder}/there/photos` })
    expect(await target('there/below/..')).toEqual({ name: 'x/photos/', folder: `${folder}/there/photos` })
    expect(await planExport(['a/', 'b/'], `${folder}/there`)).toEqual([
      { name: 'a/', folder: `${folder}/there/a` },
      { name: 'b/', folder: `${folder}/there/b` },
    ])
  })

  it('is for a folder its last segment in the current folder by default', async () => {
    expect(await planExport(['x/photos/'], undefined)).toEqual([{ name: 'x/photos/', folder: 'photos' }])
  })

  it.each(['p/..', 'p/.'])('is never outside of the current folder, as it would be for %j', async (name) => {
    await expect(planExport([name], undefined)).rejects.toThrow(/"\." or "\.\."/)
  })

  it('must be a folder if there are several sources', async () => {
    const folder = await temporaryFolder()
    await expect(planExport(['a', 'b'], `${folder}/one`)).rejects.toThrow(/not a folder/)
  })
})
