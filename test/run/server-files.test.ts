import { describe, expect, it } from 'vitest'
import { filesWithoutServer } from './server-files.js'

describe('the files that start no server', () => {
  const found = filesWithoutServer(process.cwd())

  it.each(['test/cli/escape.test.ts', 'test/server/jobs/job.test.ts', 'test/run/server-files.test.ts'])(
    'include %s',
    (file) => expect(found).toContain(file),
  )

  it.each([
    ['test/e2e/restart.test.ts', 'a process'],
    ['test/server/start-accounts.test.ts', 'one of its own'],
    ['test/server/tus/life.test.ts', 'one that its tests share'],
    ['test/server/tus/model.property.test.ts', 'some by another helper'],
  ])('do not include %s, which starts %s', (file) => expect(found).not.toContain(file))
})
