import { readFile, readlink } from 'node:fs/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runQuery } from '../../../dist/server/tables/query.js'
import { queryProcess } from '../../../dist/server/tables/query-task.js'
import { SpareProcesses, type SpareProcessesOptions } from '../../../dist/server/tables/spare-processes.js'
import { enginesOf, running, sparesOf } from '../../helpers/engines.js'
import { eventually } from '../../helpers/eventually.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

async function openSpares(options: SpareProcessesOptions = {}) {
  const folder = await temporaryFolder()
  const spares = new SpareProcesses(options)
  onTestFinished(() => spares.close())
  const query = (sql: string, signal = new AbortController().signal) =>
    runQuery({ sql, tables: [], folder, maxRows: 10, signal, start: spares.start })
  return { folder, spares, query }
}

function theSpare(other?: number): Promise<number> {
  return eventually('a process stands ready', async () => {
    const found = await sparesOf(process.pid)
    return found.length === 1 && found[0] !== other && found[0]!
  })
}

const endless = 'with recursive t as (select 1 union all select * from t) select count(*) from t'

describe('a process of the engine that stands ready', () => {
  it('is started after the first task, and has one task only', async () => {
    const { query } = await openSpares()
    expect(await sparesOf(process.pid)).toEqual([])
    await query('select 1 x')
    const first = await theSpare()
    const stop = new AbortController()
    const endlessly = query(endless, stop.signal)
    endlessly.catch(() => {})
    await eventually('it has the task', async () => (await enginesOf(process.pid)).includes(first))
    expect(await sparesOf(process.pid)).toEqual([])
    stop.abort(new Error('enough'))
    await expect(endlessly).rejects.toThrow('enough')
    expect(await running([first])).toEqual([])
    expect(await theSpare(first)).not.toBe(first)
  })

  it('has the limits of any other, and neither environment nor data', async () => {
    const { query, folder } = await openSpares()
    await query('select 1 x')
    const pid = await theSpare()
    expect(await readlink(`/proc/${pid}/cwd`)).toBe(folder)
    const environment = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0').filter(Boolean)
    expect(environment.filter((each) => !/^NODE_(CHANNEL_|V8_COVERAGE=)/.test(each))).toEqual([])
    const limits = await readFile(`/proc/${pid}/limits`, 'utf8')
    expect(limits).toMatch(new RegExp(`Max data size +${queryProcess(folder).memoryBytes} `))
    await expect(
      query("select repeat('x', 2000000000) from range(100) where length(repeat('x', 2000000000)) > 1"),
    ).rejects.toMatchObject({
      code: 'malformed-query',
    })
  })

  it('is replaced if it has died', async () => {
    const { query } = await openSpares()
    await query('select 1 x')
    const dead = await theSpare()
    process.kill(dead, 'SIGKILL')
    expect(await query('select 2 x')).toMatchObject({ results: [{ x: 2 }] })
    await theSpare(dead)
  })

  it('that dies before it has received its task leaves it to another one', async () => {
    const { query } = await openSpares()
    await query('select 1 x')
    const dying = await theSpare()
    process.kill(dying, 'SIGSTOP')
    const answer = query('select 2 x')
    process.kill(dying, 'SIGKILL')
    expect(await answer).toMatchObject({ results: [{ x: 2 }] })
  })

  it('ends after a while without a task, and is there again after the next one', async () => {
    const { query } = await openSpares({ idleMs: 2_000 })
    await query('select 1 x')
    const idle = await theSpare()
    await eventually('it has ended', async () => (await running([idle])).length === 0)
    await query('select 1 x')
    await theSpare(idle)
  })

  it('has ended when the server has', async () => {
    const { query, spares } = await openSpares()
    await query('select 1 x')
    const spare = await theSpare()
    await spares.close()
    expect(await running([spare])).toEqual([])
    await query('select 1 x')
    expect(await sparesOf(process.pid)).toEqual([])
  })
})
