import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'
import { expect, it, onTestFinished } from 'vitest'
import { sources } from './sources.js'

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

async function open() {
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    server: { middlewareMode: true, watch: null, ws: false },
    plugins: [sources(root)],
  })
  onTestFinished(() => server.close())
  return server.environments.ssr
}

it('watch mode runs a test against src/, and stack traces show source lines', async () => {
  const environment = await open()
  const test = `${root}/test/server/auth/passwords.test.ts`
  const found = await environment.pluginContainer.resolveId('../../../dist/server/auth/passwords.js', test)
  expect(found?.id).toBe(`${root}/src/server/auth/passwords.ts`)
  const transformed = await environment.transformRequest(found!.id)
  expect(transformed?.map).toMatchObject({ sources: ['passwords.ts'] })
})

it('watch mode runs worker threads from dist/', async () => {
  const environment = await open()
  const { code } = (await environment.transformRequest(`${root}/src/server/auth/password-threads.ts`))!
  expect(code).toContain(`new URL("./password-worker.js", "file://${root}/dist/server/auth/password-threads.js")`)
})
