import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { findServer, parseServer } from '../../dist/cli/settings.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('the server address of the client', () => {
  it('comes from the option, then the environment, then config.json, then the default', async () => {
    const folder = await temporaryFolder()
    const env = { FILEJOBS_SERVER: 'http://env.example' }
    expect(await findServer(undefined, {}, folder)).toBe('http://127.0.0.1:8080')
    await writeFile(`${folder}/config.json`, '{"server": "http://config.example"}')
    expect(await findServer(undefined, {}, folder)).toBe('http://config.example')
    expect(await findServer(undefined, env, folder)).toBe('http://env.example')
    expect(await findServer('http://option.example', env, folder)).toBe('http://option.example')
  })

  it('is normalized to one key however it is written', () => {
    expect(parseServer('HTTP://Example.org:80/', 'x')).toBe('http://example.org')
    expect(parseServer('https://example.org/files//', 'x')).toBe('https://example.org/files')
  })

  it.each(['example.org', 'localhost:8080', 'ftp://example.org', ''])('cannot be %j', (text) => {
    expect(() => parseServer(text, '--server')).toThrow(/--server must be the URL of a server/)
  })

  it('never contains a password', () => {
    expect(() => parseServer('http://ann:secret@example.org', '--server')).toThrow(/must not hold a password/)
  })

  it('causes a clear error if config.json is damaged', async () => {
    const folder = await temporaryFolder()
    await writeFile(`${folder}/config.json`, '{"server": ')
    await expect(findServer(undefined, {}, folder)).rejects.toThrow(/config\.json is damaged/)
  })
})
