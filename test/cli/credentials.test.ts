import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { createCredentials } from '../../dist/cli/credentials.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const ann = { account: 'user:ann', token: 'a', expiresAt: '2030-01-01T00:00:00Z' }
const bob = { account: 'user:bob', token: 'b', expiresAt: '2030-01-01T00:00:00Z' }

describe('saved logins', () => {
  it('are kept separately for each server', async () => {
    const credentials = createCredentials(`${await temporaryFolder()}/filejobs`)
    await credentials.save('http://one', ann)
    await credentials.save('http://two', ann)
    await credentials.save('http://one', bob)
    expect(await credentials.find('http://one')).toEqual(bob)
    expect(await credentials.find('http://two')).toEqual(ann)
    await credentials.remove('http://one')
    await credentials.remove('http://one')
    expect(await credentials.find('http://one')).toBeUndefined()
    expect(await credentials.find('http://two')).toEqual(ann)
  })

  it('are stored in a file that only its owner can read, without leaving a temporary file', async () => {
    const folder = `${await temporaryFolder()}/filejobs`
    await createCredentials(folder).save('http://one', ann)
    expect(await readdir(folder)).toEqual(['credentials.json'])
    expect((await stat(`${folder}/credentials.json`)).mode & 0o777).toBe(0o600)
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
  })

  it('that are damaged are reported with their file, which is left unchanged', async () => {
    const folder = await temporaryFolder()
    await writeFile(`${folder}/credentials.json`, '{"http://one": {')
    const credentials = createCredentials(folder)
    await expect(credentials.save('http://one', ann)).rejects.toThrow(/credentials\.json is damaged/)
    expect(await readFile(`${folder}/credentials.json`, 'utf8')).toBe('{"http://one": {')
  })
})
