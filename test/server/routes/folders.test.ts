import { describe, expect, it } from 'vitest'
import type { FolderLevelList } from '../../../dist/protocol/folders.js'
import type { Caller } from '../../helpers/calls.js'
import { eventually } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'

describe('GET /files', () => {
  const shared = shareServer()

  it('lists one level with a delimiter, and as before without', async () => {
    const caller = await shared.newCaller()
    for (const name of ['a/1', 'a/2', 'b', 'B']) await caller.put(name, name)
    const level = await countedLevel(caller, 'delimiter=/')
    expect(level).toMatchObject({
      folders: [{ name: 'a/', files: 2, bytes: 6 }],
      totals: { files: 2, folders: 1, bytes: 8 },
      next: null,
    })
    expect(level.files.map(({ name }) => name)).toEqual(['B', 'b'])
    expect(Object.keys(level.files[0]!).sort()).toEqual(['name', 'sha256', 'size', 'type', 'uploadedAt'])
    expect(Object.keys((await caller.call('/files?sort=size')).json)).toEqual(['files', 'next'])
    expect(await caller.names()).toEqual(['B', 'a/1', 'a/2', 'b'])
  })

  it('pages a level in the order that is asked for', async () => {
    const caller = await shared.newCaller()
    for (const [name, content] of [
      ['x/1', ''],
      ['img2', '333'],
      ['img10', '22'],
      ['IMG1', '1'],
    ])
      await caller.put(name!, content!)
    const all = async (query: string) => {
      const names: string[] = []
      for (let cursor = ''; ; ) {
        const { json } = await caller.call(`/files?delimiter=%2F&limit=1&${query}${cursor && `&cursor=${cursor}`}`)
        names.push(...[...json.folders, ...json.files].map(({ name }: { name: string }) => name))
        if (json.next === null) return names
        cursor = json.next
      }
    }
    expect(await all('')).toEqual(['x/', 'IMG1', 'img10', 'img2'])
    expect(await all('natural=1&ignoreCase=true')).toEqual(['x/', 'IMG1', 'img2', 'img10'])
    expect(await all('sort=size&order=desc')).toEqual(['x/', 'img2', 'img10', 'IMG1'])
    expect(await all('sort=date')).toEqual(['x/', 'img2', 'img10', 'IMG1'])
  })

  it('refuses another delimiter or order', async () => {
    const caller = await shared.newCaller()
    for (const query of [
      'delimiter=-',
      'delimiter=/&sort=type',
      'delimiter=/&order=up',
      'delimiter=/&limit=0',
      'delimiter=/&cursor=x',
    ]) {
      const answer = await caller.call(`/files?${query}`)
      expect(answer, query).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
    }
  })

  it('streams all files of a prefix as NDJSON in the order of their names', async () => {
    const caller = await shared.newCaller()
    for (const name of ['b', 'a/2', 'a/1', 'a.txt']) await caller.put(name, name)
    const records = async (query = '') => {
      const answer = await caller.call(`/files${query}`, { headers: { Accept: 'application/x-ndjson' } })
      expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/x-ndjson' } })
      return answer.body
        .toString()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
    }
    expect(await records()).toEqual((await caller.call('/files')).json.files)
    expect((await records('?prefix=a/')).map(({ name }) => name)).toEqual(['a/1', 'a/2'])
    expect(await records('?prefix=none')).toEqual([])
  })

  it('streams the names of empty folders on request', async () => {
    const caller = await shared.newCaller()
    await caller.put('a/full/file', 'x')
    for (const folder of ['b', 'a/c', 'a/full/d']) await caller.call(`/files/${folder}/`, { method: 'PUT' })
    const names = async (prefix: string) => {
      const path = `/files?folders=empty&prefix=${encodeURIComponent(prefix)}`
      const { body } = await caller.call(path, { headers: { Accept: 'application/x-ndjson' } })
      return body.toString()
    }
    expect(await names('')).toBe('{"name":"a/c/"}\n{"name":"a/full/d/"}\n{"name":"b/"}\n')
    expect(await names('a/')).toBe('{"name":"a/c/"}\n{"name":"a/full/d/"}\n')
    for (const prefix of ['none/', 'a/f', '../', 'a/../', '/']) expect(await names(prefix), prefix).toBe('')
  })
})

describe('a folder', () => {
  const shared = shareServer()

  it('is created empty, kept, and removed', async () => {
    const caller = await shared.newCaller()
    const change = (method: string, path: string, headers = {}) => caller.call(path, { method, headers })
    expect((await change('PUT', '/files/new/sub/')).status).toBe(201)
    expect((await change('PUT', '/files/new/sub/')).status).toBe(204)
    expect((await change('PUT', '/files/new/sub/', { 'If-None-Match': '*' })).status).toBe(412)
    await caller.put('new/sub/file', 'x')
    await change('DELETE', '/files/new/sub/file')
    const { json } = await caller.call('/files?delimiter=/&prefix=new/')
    expect(json.folders).toMatchObject([{ name: 'new/sub/', files: 0, bytes: 0 }])
    expect(await change('DELETE', '/files/new/?empty=true')).toMatchObject({
      status: 409,
      json: { code: 'name-conflict', message: '"new/" is not empty.' },
    })
    expect((await change('DELETE', '/files/new/sub/?empty=true')).status).toBe(204)
    expect((await change('PUT', '/files/new/')).status).toBe(201)
    expect((await change('DELETE', '/files/new/?empty=no')).status).toBe(400)
    expect((await change('DELETE', '/files/new/')).status).toBe(204)
    expect(await change('DELETE', '/files/new/')).toMatchObject({ status: 404, json: { code: 'file-not-found' } })
  })

  it('has no body, and a valid name', async () => {
    const caller = await shared.newCaller()
    expect(await caller.put('folder/', 'content')).toMatchObject({ status: 400, json: { field: 'body' } })
    for (const path of ['/files//', '/files/a//', '/files/a%5Cb/', '/files/%2E%2E/']) {
      expect((await caller.call(path, { method: 'PUT' })).status, path).toBe(400)
    }
    await caller.put('file', 'x')
    expect(await caller.call('/files/file/', { method: 'PUT' })).toMatchObject({ json: { code: 'name-conflict' } })
  })

  it('is moved with everything in it', async () => {
    const caller = await shared.newCaller()
    await caller.put('a%20b/c/d', 'x')
    await caller.put('e', 'x')
    const before = (await caller.call('/files/a%20b/c/d', { method: 'HEAD' })).headers
    expect((await caller.post('/files/a%20b/move', { to: 'new/place/' })).status).toBe(204)
    expect(await caller.names()).toEqual(['e', 'new/place/c/d'])
    const after = (await caller.call('/files/new/place/c/d', { method: 'HEAD' })).headers
    expect([after.etag, after['repr-digest']]).toEqual([before.etag, before['repr-digest']])
    for (const [to, code] of [
      ['new/place/in/', 'name-conflict'],
      ['e/', 'name-conflict'],
      ['../x/', 'invalid-request'],
      ['/', 'invalid-request'],
    ]) {
      expect(await caller.post('/files/new/place/move', { to: to! }), to).toMatchObject({ json: { code } })
    }
    expect(await caller.post('/files/missing/move', { to: 'x/' })).toMatchObject({ json: { code: 'file-not-found' } })
  })
})

describe('the quota', () => {
  const shared = shareServer({ quota: 1000 })

  it('of the files of a folder is free when its removal is answered', async () => {
    const caller = await shared.newCaller()
    for (let at = 0; at < 4; at++) await caller.put(`full/${at}`, 'x'.repeat(240))
    expect(await caller.put('more', 'x'.repeat(500))).toMatchObject({ json: { code: 'quota-exceeded' } })
    expect((await caller.call('/files/full/', { method: 'DELETE' })).status).toBe(204)
    expect((await caller.put('more', 'x'.repeat(990))).status).toBe(201)
  })
})

function countedLevel(caller: Caller, query: string): Promise<FolderLevelList> {
  return eventually('the counts of a level', async () => {
    const level = (await caller.call(`/files?${query}`)).json as FolderLevelList
    return [level.totals, ...level.folders].some(({ bytes }) => bytes === null) ? undefined : level
  })
}
