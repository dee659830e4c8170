import { createHash, randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openCuttingProxy } from '../../helpers/cutting-proxy.js'
import { eventually } from '../../helpers/eventually.js'
import { shareServer } from '../../helpers/shared-server.js'
import { hasProgram, run } from '../../helpers/system-programs.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const MiB = 1024 ** 2
const shared = shareServer({ shutdownGraceMs: 0, jobsPerAccount: 4 })

interface Reader {
  program: string
  /** Its arguments, for a header and a URL, a folder, and the rate to begin with. */
  first(as: string[], url: string, target: string): string[]
  again(as: string[], url: string, target: string): string[]
}

const slowly = 'Filejobs-Rate-Limit: 4194304'
const readers: Reader[] = [
  {
    program: 'curl',
    first: ([as], url, target) => ['-sS', '-H', as!, '-H', slowly, '-o', target, url],
    again: ([as], url, target) => ['-sS', '-H', as!, '-C', '-', '-o', target, url],
  },
  {
    program: 'wget',
    first: ([as], url, target) => ['-q', '--tries=1', `--header=${as}`, `--header=${slowly}`, '-O', target, url],
    again: ([as], url, target) => ['-q', `--header=${as}`, '-c', '-O', target, url],
  },
  {
    program: 'aria2c',
    first: ([as], url, target) => [...aria(target), '--max-tries=1', `--header=${as}`, `--header=${slowly}`, url],
    again: ([as], url, target) => [...aria(target), '--continue=true', `--header=${as}`, url],
  },
]

describe('an interrupted download is completed', () => {
  for (const { program, first, again } of readers) {
    const there = hasProgram(program)
    if (!there) console.log(`${program} is missing: its test is skipped`)
    it.skipIf(!there)(`by ${program}, which resumes at its offset`, async () => {
      const ann = await shared.newCaller()
      const content = randomBytes(16 * MiB)
      await ann.put('big', content)
      const proxy = await openCuttingProxy(shared.server.url)
      const target = join(await temporaryFolder(), 'big')
      const as = [`Authorization: Bearer ${ann.token}`]
      const broken = run(program, first(as, `${proxy.url}/files/big`, target))
      await ann.findJob('kind=export&state=running', (job) => job.bytes > 3 * MiB)
      await eventually('some of it is here', async () => (await stat(target).catch(() => null))?.size)
      proxy.cutAll()
      expect((await broken).code).not.toBe(0)
      await eventually('the export has ended', async () => {
        return (await ann.call('/jobs?kind=export&state=running')).json.jobs.length === 0
      })
      expect(await run(program, again(as, `${shared.server.url}/files/big`, target))).toMatchObject({ code: 0 })
      expect(digest(await readFile(target))).toBe(digest(content))
      const [last] = (await ann.call('/jobs?kind=export')).json.jobs
      expect(last.bytes).toBeLessThan(content.length)
    })
  }
})

function aria(target: string): string[] {
  const folder = join(target, '..')
  return ['-q', '-x4', '-s4', '--min-split-size=1M', '--file-allocation=none', '-d', folder, '-o', 'big']
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
