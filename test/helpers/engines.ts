import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { eventually } from './eventually.js'

const run = promisify(execFile)

/** The process of an import, which can be made to stand still: the import runs on, however slow the test is. */
export interface ImportProcess {
  hold(): void
  goOn(): void
}

/** Waits until a server imports something: that of this process, or of another. */
export async function importProcess(server = process.pid): Promise<ImportProcess> {
  const pid = await eventually('an import has its process', async () => (await enginesOf(server, 'import'))[0])
  const goOn = () => void process.kill(pid, 'SIGCONT')
  onTestFinished(() => {
    try {
      goOn()
    } catch {
      // It has ended, or was stopped.
    }
  })
  return { hold: () => void process.kill(pid, 'SIGSTOP'), goOn }
}

/** The processes of the engine that a process has started, of one kind or all. */
export async function enginesOf(parent: number, kind = '\\w+'): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='])
  return stdout.split('\n').flatMap((line) => {
    const [, pid, ppid, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return Number(ppid) === parent && new RegExp(`tables/${kind}-child\\.js`).test(args!) ? [Number(pid)] : []
  })
}

/** Those of the processes that still run. */
export async function running(pids: number[]): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,stat='])
  const alive = stdout.split('\n').flatMap((line) => {
    const [pid, state] = line.trim().split(/\s+/)
    return state && !state.startsWith('Z') ? [Number(pid)] : []
  })
  return pids.filter((pid) => alive.includes(pid))
}
