import { describe, expect, it } from 'vitest'
import { killDuringExports, killDuringUploads } from '../helpers/folder-kills.js'
import { killDuringTars } from '../helpers/tar-kills.js'

const rounds = 200
const limitMs = 60 * 60_000

describe('kill -9 of the server, 200 times during tars', () => {
  it(
    'leaves whole files, and of those published together all or none',
    async () => {
      expect((await killDuringTars(rounds)).versions.size).toBeGreaterThan(20)
    },
    limitMs,
  )
})

describe.each([
  ['the client', false],
  ['client and server', true],
])('kill -9 of %s, 200 times', (_, withServer) => {
  it.each([false, true])(
    'while a folder is uploaded leaves what was told; together: %s',
    (isTogether) => killDuringUploads({ rounds, withServer, isTogether }),
    limitMs,
  )

  it('while a folder is exported leaves whole files', () => killDuringExports({ rounds, withServer }), limitMs)
})
