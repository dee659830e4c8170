import { describe, expect, it } from 'vitest'
import type { Answer, Caller } from '../../helpers/calls.js'
import { shareServer } from '../../helpers/shared-server.js'
import { partialNames } from '../../helpers/stored-state.js'
import { recordsOf, type TarPart, tarOf } from '../../helpers/tars.js'

const shared = shareServer()

const first = { name: 'first', content: 'first' }
const file = (name: string | Buffer, more: Partial<TarPart> = {}): TarPart => ({ name, content: 'hostile', ...more })
const longName = (content: string | Buffer): TarPart => ({ name: '././@LongLink', type: 'L', content })

/** Entries that are refused, with the reason in the response. `stays`: a file before it, if it is not called like the others. */
const refused: Record<string, { parts: TarPart[]; says: RegExp; stays?: string }> = {
  'an absolute name': { parts: [file('/etc/evil')], says: /"\/etc\/evil" has an absolute name/ },
  'an absolute name in a pax header': {
    parts: [file('x', { pax: { path: '/evil' } })],
    says: /"\/evil" has an absolute/,
  },
  'an absolute name in a GNU header': {
    parts: [longName('/evil\0'), file('x')],
    says: /"\/evil" has an absolute name/,
  },
  'a name with ".." at its start': { parts: [file('../evil')], says: /"\.\.\/evil" .* segment "\." or "\.\."/ },
  'a name with ".." inside': { parts: [file('a/../../evil')], says: /"a\/\.\.\/\.\.\/evil" / },
  'a name ".." after "./"': { parts: [file('./../evil')], says: /"\.\/\.\.\/evil" / },
  'a folder ".."': { parts: [{ name: '../', type: '5' }], says: /"\.\." .* segment/ },
  'an absolute folder': { parts: [{ name: '/evil/', type: '5' }], says: /"\/evil" has an absolute name/ },
  'a symbolic link': {
    parts: [{ name: 'evil', type: '2', link: '/etc' }, file('evil/x')],
    says: /"evil" is a symbolic link/,
  },
  'a hard link': { parts: [{ name: 'evil', type: '1', link: 'first' }], says: /"evil" is a hard link/ },
  'a character device': { parts: [{ name: 'evil', type: '3' }], says: /"evil" is a device/ },
  'a block device': { parts: [{ name: 'evil', type: '4' }], says: /"evil" is a device/ },
  'a named pipe': { parts: [{ name: 'evil', type: '6' }], says: /"evil" is a named pipe/ },
  'a sparse file of GNU tar': { parts: [file('evil', { type: 'S' })], says: /"evil" is of an unknown type/ },
  'a sparse file in a pax header': {
    parts: [file('evil', { pax: { 'GNU.sparse.major': '1', 'GNU.sparse.realsize': '1099511627776' } })],
    says: /"evil" is a sparse file/,
  },
  'a part of a volume': { parts: [file('evil', { type: 'M' })], says: /"evil" is of an unknown type/ },
  'an unknown type': { parts: [file('evil', { type: 'Z' })], says: /"evil" is of an unknown type/ },
  'a NUL in a pax name': {
    parts: [file('x', { pax: { path: 'evil\0.txt' } })],
    says: /"evil\\u0000.txt" .* control character/,
  },
  'a line break in a name': { parts: [file('evil\n.txt')], says: /control character/ },
  'a backslash in a name': { parts: [file('..\\evil')], says: /backslash/ },
  'an empty segment': { parts: [file('a//evil')], says: /empty segment/ },
  'a name that is not UTF-8': { parts: [file(Buffer.from('evil\xe9', 'latin1'))], says: /not valid UTF-8/ },
  'a segment that is too long': { parts: [file('x', { pax: { path: 'e'.repeat(241) } })], says: /more than 240 bytes/ },
  'a file twice': { parts: [file('evil'), file('evil')], says: /"evil" is there twice/ },
  'a file twice, by other spellings': { parts: [file('e\u0301vil'), file('./\u00e9vil')], says: /vil" is there twice/ },
  'a file below a file': { parts: [file('evil'), file('evil/x')], says: /"evil\/x" is below a file/ },
  'a folder that is a file': {
    parts: [file('evil'), { name: 'evil/', type: '5' }],
    says: /"evil\/" is a file and a folder/,
  },
  'a file that is a folder': {
    parts: [file('evil/x'), file('evil')],
    says: /"evil" is a file and a folder/,
    stays: 'in/evil/x',
  },
  'a folder with a size': { parts: [{ name: 'evil/', type: '5', size: 7 }], says: /"evil\/" is a folder with a size/ },
  'a pax size that is no number': {
    parts: [file('evil', { pax: { size: '7evil' } })],
    says: /"evil" has a record "size"/,
  },
  'a negative pax size': { parts: [file('evil', { pax: { size: '-1' } })], says: /a header is damaged/ },
  'a pax size that is too large': { parts: [file('evil', { pax: { size: '100000' } })], says: /ends too early/ },
  'a pax size that is too small': {
    parts: [file('evil', { content: 'x'.repeat(2000), pax: { size: '7' } })],
    says: /a header is damaged/,
  },
  'a digest that is none': { parts: [file('evil', { pax: { 'FILEJOBS.sha256': 'abc' } })], says: /FILEJOBS.sha256/ },
  'a damaged checksum': {
    parts: [file('evil', { damage: (header) => header.write('9', 0) })],
    says: /a header is damaged/,
  },
}

describe('a tar is refused, and what came before the entry is stored, but nothing of the entry, for', () => {
  for (const [what, { parts, says, stays = 'in/first' }] of Object.entries(refused)) {
    it(what, async () => {
      const ann = await shared.newCaller()
      const answer = await send(ann, tarOf([first, ...parts]))
      expect(answer.json?.message).toMatch(says)
      expect(answer).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
      const names = await ann.names()
      expect(names).toEqual(expect.arrayContaining(['in/first', stays]))
      expect(names.filter((name) => name !== stays && !/^in\/(?:first|e?.?vil)$/u.test(name))).toEqual([])
      await leftNothing()
    })
  }
})

describe('a body is refused that is', () => {
  const whole = tarOf([first])
  const bodies: Record<string, { body: Buffer; says: RegExp }> = {
    'a tar without its end marker': { body: tarOf([first], { ends: false }), says: /end marker is missing/ },
    'a tar with half an end marker': { body: whole.subarray(0, -512), says: /end marker is missing/ },
    'a tar whose last file ends with zeros, without an end marker': {
      body: tarOf([{ name: 'zeros', content: Buffer.alloc(4096) }], { ends: false }),
      says: /end marker is missing/,
    },
    'a tar that ends within a file': { body: whole.subarray(0, 700), says: /ends too early/ },
    'a tar that ends within a header': { body: whole.subarray(0, 300), says: /ends too early/ },
    'a tar whose pax header belongs to nothing': {
      body: tarOf([first, { name: 'pax', type: 'x', content: recordsOf({ path: 'evil' }) }], { ends: false }),
      says: /end marker is missing/,
    },
    'a tar followed by something else': {
      body: Buffer.concat([whole, Buffer.alloc(512, 'x')]),
      says: /header is damaged/,
    },
    'a compressed tar': { body: Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), says: /compressed by gzip: .*gunzip/ },
    'no tar at all': { body: Buffer.alloc(2048, 'no tar'), says: /a header is damaged/ },
    empty: { body: Buffer.alloc(0), says: /end marker is missing/ },
    'a tar with an extended header that is too large': {
      body: tarOf([first, { name: 'pax', type: 'x', content: 'x', size: 2 ** 30 }]),
      says: /a header is damaged/,
    },
  }
  for (const [what, { body, says }] of Object.entries(bodies)) {
    it(what, async () => {
      const ann = await shared.newCaller()
      const answer = await send(ann, body)
      expect(answer.json?.message).toMatch(says)
      expect(answer).toMatchObject({ status: 400, json: { code: 'invalid-request' } })
      await leftNothing()
    })
  }

  it('encoded, with advice', async () => {
    const ann = await shared.newCaller()
    const answer = await send(ann, whole, { 'Content-Encoding': 'gzip' })
    expect(answer).toMatchObject({ status: 415, headers: { 'accept-encoding': 'identity' } })
    expect(await send(ann, whole, {}, 'extract=tar.gz')).toMatchObject({
      status: 400,
      json: { message: expect.stringMatching(/uncompressed/) },
    })
  })
})

function send(caller: Caller, body: Buffer, headers = {}, query = 'extract=tar'): Promise<Answer> {
  return caller.call(`/files/in/?${query}`, { method: 'PUT', body, headers })
}

async function leftNothing(): Promise<void> {
  expect(await partialNames(shared.server.dataFolder)).toEqual([])
}
