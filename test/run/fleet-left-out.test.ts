import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { leftOut, leftOutOfFleet } from './fleet-left-out.js'

it('each test that is left out of the fleet exists', () => {
  for (const [file, titles] of Object.entries(leftOut)) {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
    for (const beginning of Object.keys(titles)) expect(text, file).toContain(`'${beginning}`)
  }
})

it('a test is left out of the fleet by the beginning of its title, in its file only', () => {
  const title = 'sends 100 Continue after the checks'
  expect(leftOutOfFleet('test/server/tus/core.test.ts', title)).toContain('nginx')
  expect(leftOutOfFleet('test/server/tus/core.test.ts', 'is answered 404')).toBeUndefined()
  expect(leftOutOfFleet('test/server/tus/life.test.ts', title)).toBeUndefined()
})
