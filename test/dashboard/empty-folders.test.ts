import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chromiumPath, drop, shareBrowser } from '../helpers/browser.js'
import { Caller } from '../helpers/calls.js'
import { shareServer } from '../helpers/shared-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe.skipIf(!chromiumPath)('an empty folder, in the dashboard,', () => {
  const shared = shareServer()
  const browser = shareBrowser()
  let people = 0

  async function open() {
    const username = `collector-${++people}`
    const page = await browser.signedIn(shared.server.url, { username, keepsTrayOpen: true })
    const curl = new Caller(shared.server, await shared.server.logIn(username))
    const puts: string[] = []
    page.on('request', (request) => request.method() === 'PUT' && puts.push(new URL(request.url()).pathname))
    return { page, curl, puts, upload: (name: string) => page.locator(`[data-upload=${JSON.stringify(name)}]`) }
  }

  /** Files whose content is one character, and folders, whose names end with a slash. */
  async function treeOf(names: string[]): Promise<string> {
    const root = await temporaryFolder()
    for (const name of names) {
      await mkdir(join(root, name, name.endsWith('/') ? '.' : '..'), { recursive: true })
      if (!name.endsWith('/')) await writeFile(join(root, name), 'x')
    }
    return root
  }

  async function emptyFolders(curl: Caller): Promise<string[]> {
    const { body } = await curl.call('/files?folders=empty', { headers: { Accept: 'application/x-ndjson' } })
    const lines = body.toString().split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line).name)
  }

  async function uploadJobs(curl: Caller) {
    return (await curl.call('/jobs?kind=upload')).json.jobs
  }

  it('that is dropped among files is created by the same job', async () => {
    const { page, curl, puts, upload } = await open()
    const folders = ['trip/a/b/', `trip/${'n'.repeat(120)}/`, 'trip/ä/']
    const root = await treeOf([...folders, 'trip/a/file', 'trip/full/file'])
    await drop(page, [join(root, 'trip')])
    await upload('trip/').getByText('2 files and 3 empty folders · 2 B · done').waitFor()
    expect(await curl.names()).toEqual(['trip/a/file', 'trip/full/file'])
    expect(await emptyFolders(curl)).toEqual(folders)
    expect(puts).toEqual(['/files/trip/', '/files/trip/'])
    expect(await uploadJobs(curl)).toMatchObject([
      { state: 'done', file: 'trip/', files: { total: 2, done: 2, failed: 0 } },
    ])
  })

  it('is created also if there is nothing else', async () => {
    const { page, curl, upload } = await open()
    const root = await treeOf(['tree/one/', 'tree/two/three/', 'alone/'])
    await drop(page, [join(root, 'tree')])
    await upload('tree/').getByText('2 empty folders · done').waitFor()
    await drop(page, [join(root, 'alone')])
    await upload('alone/').getByText('1 empty folder · done').waitFor()
    expect(await emptyFolders(curl)).toEqual(['alone/', 'tree/one/', 'tree/two/three/'])
    expect(await uploadJobs(curl)).toMatchObject([
      { state: 'done', files: { total: 0, done: 0 } },
      { state: 'done', file: 'tree/', files: { total: 0, done: 0 } },
    ])
  })

  it('that exists already stays as it is', async () => {
    const { page, curl, upload } = await open()
    await curl.put('tree/one/file', 'x')
    await drop(page, [join(await treeOf(['tree/one/', 'tree/two/']), 'tree')])
    await upload('tree/').getByText('2 empty folders · done').waitFor()
    expect(await curl.names()).toEqual(['tree/one/file'])
    expect(await emptyFolders(curl)).toEqual(['tree/two/'])
  })

  it('that cannot be created fails alone, and can be tried again', async () => {
    const { page, curl, upload } = await open()
    await curl.put('tree/taken', 'x')
    const tooLong = `tree/${'l'.repeat(245)}/`
    await drop(page, [join(await treeOf(['tree/taken/', 'tree/good/', 'tree/file', tooLong]), 'tree')])
    await upload('tree/').getByText('1 file and 1 empty folder · 1 B · done').waitFor()
    await upload('tree/taken/').getByText('There is already something with the name').waitFor()
    await upload(tooLong)
      .getByText(/^The name has a segment of more than 240 bytes/)
      .waitFor()
    await page.getByRole('status').getByText('2 need you').waitFor()
    expect(await emptyFolders(curl)).toEqual(['tree/good/'])
    await curl.call('/files/tree/taken', { method: 'DELETE' })
    await upload('tree/taken/').getByRole('button', { name: 'Try again' }).click()
    await upload('tree/taken/').getByText('1 empty folder · done').waitFor()
    expect(await emptyFolders(curl)).toEqual(['tree/good/', 'tree/taken/'])
  })
})
