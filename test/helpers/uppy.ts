import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { build, type Rolldown } from 'vite'

export interface UppyUpload {
  token: string
  /** How many files; each is named `file-NN.bin`. */
  files: number
  /** Of each file. */
  bytes: number
  /** As Uppy's plugin for tus takes it; undefined is its default: the whole file in one request. */
  chunkSize?: number
  /** The id of the job of many files that they are part of. */
  partOf?: string
}

export interface UppyResult {
  successful: string[]
  failed: string[]
}

interface UppyPage {
  uppy: {
    Uppy: new () => {
      use(plugin: unknown, options: object): void
      addFile(file: { name: string; data: Blob }): void
      upload(): Promise<{ successful: { name: string }[]; failed: { name: string; error: unknown }[] }>
    }
    Tus: unknown
  }
}

/** Uppy and its plugin for tus as one script for a page, which has them as `uppy`. */
export async function bundleUppy(): Promise<string> {
  const outputs = await build({
    configFile: false,
    logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      lib: { entry: fileURLToPath(new URL('uppy-entry.ts', import.meta.url)), name: 'uppy', formats: ['iife'] },
    },
  })
  const [{ output }] = outputs as [Rolldown.RolldownOutput]
  return output[0].code
}

/** Lets Uppy upload from a page of the server's origin, all files at once, with its defaults but for `chunkSize`. */
export function uploadWithUppy(page: Page, upload: UppyUpload): Promise<UppyResult> {
  return page.evaluate(async ({ token, files, bytes, chunkSize, partOf }) => {
    const { Uppy, Tus } = (globalThis as unknown as UppyPage).uppy
    const uppy = new Uppy()
    const part = partOf === undefined ? {} : { 'Filejobs-Part-Of': partOf }
    const headers = { Authorization: `Bearer ${token}`, ...part }
    uppy.use(Tus, { endpoint: '/tus', headers, ...(chunkSize === undefined ? {} : { chunkSize }) })
    for (let index = 0; index < files; index++) {
      const data = new Blob([new Uint8Array(bytes).fill(index)], { type: 'application/octet-stream' })
      uppy.addFile({ name: `file-${String(index).padStart(2, '0')}.bin`, data })
    }
    const { successful, failed } = await uppy.upload()
    return {
      successful: successful.map(({ name }) => name).sort(),
      failed: failed.map(({ name, error }) => `${name}: ${error}`),
    }
  }, upload)
}
