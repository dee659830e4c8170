import { expect } from 'vitest'
import { Caller } from './calls.js'
import { curl } from './curl.js'
import type { TestServer } from './server.js'
import { largeFile, putLarge, slowly, untilMoving } from './slow-transfers.js'
import { partialNames } from './stored-state.js'

export interface Stopping {
  /** How the interface sends a token. */
  header(token: string): string[]
  /** The arguments for curl that stop the running upload. */
  stopUpload: string[]
  /** The arguments for curl that export `large.bin`. */
  exportLarge: string[]
  stopExport: string[]
}

/**
 * Stops an upload and an export while they run, all by curl, and checks what the interface promises of that: the one who
 * stops gets 200, the stopped sender 409, the stopped reader an error, and nothing is left behind.
 */
export async function stopTransfers(server: TestServer, space: string, token: string, how: Stopping): Promise<void> {
  const as = how.header(token)
  const large = await largeFile()
  const names = () => new Caller(server, token).names()
  const before = await names()

  const upload = curl(...as, ...slowly, '-F', `file=@${large}`, `${server.url}/upload`)
  await untilMoving(server.url, token, 'upload')
  const stopped = await curl(...as, ...how.stopUpload)
  expect(stopped).toMatchObject({ status: 200, json: { message: expect.any(String), cleanedUp: true } })
  const sender = await upload
  expect(sender).toMatchObject({ status: 409, json: { message: expect.stringContaining('stopped') } })
  expect(await names()).toEqual(before)
  expect(await partialNames(server.dataFolder)).toEqual([])

  await putLarge(server, { space, token }, 'large.bin')
  const exporting = curl(...as, ...slowly, ...how.exportLarge)
  await untilMoving(server.url, token, 'export')
  expect(await curl(...as, ...how.stopExport)).toMatchObject({ status: 200, json: { message: expect.any(String) } })
  expect((await exporting).code).not.toBe(0)
}
