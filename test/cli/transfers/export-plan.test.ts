import { mkdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { Api } from '../../../dist/cli/api.js'
import { planExport } from '../../../dist/cli/transfers/export-plan.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

/** Only the list of a server is needed here. */
function serverWith(...names: string[]): Api {
  return {
    server: 'http://example.org',
    async send(_method, _path, request) {
      const files = names.filter((name) => name.startsWith(String(request?.query?.prefix))).map((name) => ({ name }))
      return { files, next: null } as never
    },
  }
}

describe('what is to be exported', () => {
  const server = serverWith('photos/a.jpg', 'photos/2024/b.jpg', 'photos2/c.jpg')

  it('goes under its last part into this folder', async () => {
    expect(await planExport(server, ['x/a.csv'], undefined)).toEqual([{ name: 'x/a.csv', target: 'a.csv' }])
  })

  it('goes, as with cp -r, into a folder or to a new name', async () => {
    const folder = await temporaryFolder()
    await mkdir(`${folder}/there`)
    const targets = async (name: string, target: string) =>
      (await planExport(server, [name], `${folder}/${target}`)).map((item) => item.target.slice(folder.length + 1))
    expect(await targets('x/a.csv', 'there')).toEqual(['there/a.csv'])
    expect(await targets('x/a.csv', 'new.csv')).toEqual(['new.csv'])
    expect(await targets('x/a.csv', 'new/')).toEqual(['new/a.csv'])
    expect(await targets('photos/', 'there')).toEqual(['there/photos/a.jpg', 'there/photos/2024/b.jpg'])
    expect(await targets('photos/', 'copy')).toEqual(['copy/a.jpg', 'copy/2024/b.jpg'])
  })

  it('is everything below a folder, and nothing beside it', async () => {
    expect(await planExport(server, ['photos/'], undefined)).toEqual([
      { name: 'photos/a.jpg', target: 'photos/a.jpg' },
      { name: 'photos/2024/b.jpg', target: 'photos/2024/b.jpg' },
    ])
    await expect(planExport(server, ['empty/'], undefined)).rejects.toThrow(/no files below empty/)
  })

  it.each(['p/../../etc/passwd', 'p/./x', 'p//x'])('never leaves its folder, as %j would', async (name) => {
    await expect(planExport(serverWith(name), ['p/'], undefined)).rejects.toThrow(/cannot be the name of a file here/)
  })

  it('needs a folder when there are several', async () => {
    const folder = await temporaryFolder()
    await expect(planExport(server, ['a', 'b'], `${folder}/one`)).rejects.toThrow(/not a folder/)
  })
})
