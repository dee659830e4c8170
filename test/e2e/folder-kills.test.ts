import { link, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { isLeftOver } from '../../dist/cli/folders/local-target.js'
import { killDuringExports, killDuringUploads } from '../helpers/folder-kills.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('kill -9 of the client, 20 times', () => {
  it.each([false, true])(
    'while it uploads a folder leaves what it has told, and whole files; together: %s',
    async (isTogether) => {
      await killDuringUploads({ rounds: 20, withServer: false, isTogether })
    },
    600_000,
  )

  it('while it exports a folder leaves whole files, and nothing else after the next run', async () => {
    await killDuringExports({ rounds: 20, withServer: false })
  }, 600_000)
})

describe('kill -9 of client and server at the same time, 20 times', () => {
  it.each([false, true])(
    'while a folder is uploaded leaves what was told; together: %s',
    async (isTogether) => {
      await killDuringUploads({ rounds: 10, withServer: true, isTogether })
    },
    600_000,
  )

  it('while a folder is exported leaves whole files', async () => {
    await killDuringExports({ rounds: 10, withServer: true })
  }, 600_000)
})

describe('what an export leaves when it is killed', () => {
  it('is told by the number of its process, or by being another name of a whole file', async () => {
    const folder = await temporaryFolder()
    for (const name of ['whole', 'a', 'a.part']) await writeFile(`${folder}/${name}`, name)
    await link(`${folder}/whole`, `${folder}/whole.part`)
    expect(
      ['whole', 'whole.part', 'a', 'a.part', 'gone.part'].filter((name) => isLeftOver(`${folder}/${name}`)),
    ).toEqual(['whole.part'])
    expect(isLeftOver(`/out/a.${process.pid}-0123abcd.part`)).toBe(false)
    expect(isLeftOver('/out/a.4194305-0123abcd.part')).toBe(true)
    for (const name of ['a.part', 'a.0123abcd.part', 'a.1-0123abcd.par']) expect(isLeftOver(`/out/${name}`)).toBe(false)
  })
})
