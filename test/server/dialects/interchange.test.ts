import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { curl, describeWithCurl } from '../../helpers/curl.js'
import { shareServer } from '../../helpers/shared-server.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

/** How one interface uploads a file and exports one; `url` is the server's. */
interface Way {
  role: string
  /** The arguments for curl beside the token. */
  upload(url: string, path: string): string[]
  /** What our own interface calls the file that was uploaded. */
  ownName(name: string): string
  download(url: string, name: string): string[]
  /** Whose token downloads, where it is not the uploader's. */
  reader?: string
  tokenHeader: string
}

const exportByName = (url: string, name: string) => [
  '-H',
  'Content-Type: application/json',
  '-d',
  JSON.stringify({ filename: name }),
  `${url}/export`,
]
const formUpload = (url: string, path: string) => ['-F', `file=@${path}`, `${url}/upload`]

const ways: Record<string, Way> = {
  'signs up, uploads and stops': {
    role: 'user',
    upload: formUpload,
    ownName: (name) => name,
    download: exportByName,
    tokenHeader: 'Authorization: Bearer ',
  },
  'signs in and terminates': {
    role: 'user',
    upload: formUpload,
    ownName: (name) => name,
    download: exportByName,
    tokenHeader: 'auth_token: ',
  },
  'signs in and kills': {
    role: 'user',
    upload: formUpload,
    ownName: (name) => name,
    download: exportByName,
    tokenHeader: 'auth_token: ',
  },
  collects: {
    role: 'user',
    upload: (url, path) => ['-F', `file=@${path}`, `${url}/collect/team/`],
    ownName: (name) => `collect/team/1/${name}`,
    // A file is had where its list says.
    download: (url, name) => [`${url}/files/${name}`],
    tokenHeader: 'Authorization: Bearer ',
  },
  'has ops and clients': {
    role: 'ops',
    upload: (url, path) => ['-F', `request_file=@${path}`, `${url}/ops/upload`],
    ownName: (name) => name,
    download: (url, name) => [`${url}/client/files/has-ops-and-clients/${name}`],
    reader: 'client',
    tokenHeader: 'Authorization: Bearer ',
  },
}

describeWithCurl('a file', () => {
  const shared = shareServer()

  for (const [what, { role, upload, ownName, download, reader = role, tokenHeader }] of Object.entries(ways)) {
    test(`uploaded by the interface that ${what} is exported by GET /files, and the reverse`, async () => {
      const { url } = shared.server
      const username = what.replaceAll(/[ ,]+/g, '-')
      const token = await shared.server.logIn(username, role)
      const own = { Authorization: `Bearer ${token}` }
      const path = `${await temporaryFolder()}/there.bin`
      const bytes = randomBytes(3_000_017)
      await writeFile(path, bytes)

      expect((await curl('-H', tokenHeader + token, ...upload(url, path))).status).toBe(201)
      const exported = await fetch(`${url}/files/${ownName('there.bin')}`, { headers: own })
      expect(exported.status).toBe(200)
      expect(sha256(new Uint8Array(await exported.arrayBuffer()))).toBe(sha256(bytes))

      const uploaded = await fetch(`${url}/files/${ownName('back.bin')}`, { method: 'PUT', headers: own, body: bytes })
      expect(uploaded.status).toBe(201)
      const readerToken = await shared.server.logIn(username, reader)
      const back = await curl('-H', tokenHeader + readerToken, ...download(url, ownName('back.bin')))
      expect(back).toMatchObject({ code: 0, status: 200 })
      expect(sha256(back.body)).toBe(sha256(bytes))
    })
  }
})

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
