import { describe, expect, it } from 'vitest'
import { hasCluster } from '../cluster/helpers/servers.js'
import { hasProgram, run } from '../helpers/system-programs.js'

const minutes = 20

describe.skipIf(!hasCluster || !hasProgram('nginx'))(
  'three servers behind nginx, of which one is killed every 30 seconds',
  () => {
    it(
      `pass the tests of the dialects, of tus and of control for ${minutes} minutes`,
      async () => {
        const until = performance.now() + minutes * 60_000
        let lost = 0
        while (performance.now() < until) {
          const args = ['run', 'test:fleet']
          const { code, stdout } = await run('npm', args)
          expect(code, stdout).toBe(0)
          lost += Number(/(\d+) of them lost a server/.exec(stdout)![1])
        }
        expect(lost).toBeGreaterThan(minutes)
      },
      2 * minutes * 60_000,
    )
  },
)
