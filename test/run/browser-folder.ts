import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where the browsers of this run put their profiles. */
export const browserFolder = join(tmpdir(), `filejobs-browsers-${process.pid}`)

/** Removes the files of browsers that were killed before they could. */
export default async function useFolder(): Promise<() => Promise<void>> {
  await mkdir(browserFolder, { recursive: true })
  return () => rm(browserFolder, { recursive: true, force: true, maxRetries: 20 })
}
