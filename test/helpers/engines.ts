import { type ChildProcess, execFile } from 'node:child_process'
import diagnostics from 'node:diagnostics_channel'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { eventually } from './eventually.js'

const run = promisify(execFile)

/** Who wants the next process of an import that gets a task. */
const wanted: ((child: ChildProcess) => void)[] = []
diagnostics.channel('child_process').subscribe((message) => {
  const { process: child } = message as { process: ChildProcess }
  child.once('spawn', () => {
    if (!child.spawnargs.some((arg) => arg.endsWith('/import-child.js'))) return
    if (!child.spawnargs.includes('spare')) return wanted.shift()?.(child)
    // Until its first task comes, it stands ready, for any server of this process.
    const send = child.send.bind(child) as (...args: unknown[]) => boolean
    child.send = (...args: unknown[]) => {
      child.send = send
      wanted.shift()?.(child)
      return send(...args)
    }
  })
})

/**
 * Suspends the next process of an import that this process gives a task, before it has read anything: the import runs on, however slow
 * the test is, and few rows are enough. With `whenItReads`, when it reports its first progress, or has exited.
 */
export function holdNextImport({ whenItReads = false } = {}): Promise<ImportProcess> {
  return new Promise((resolve) => {
    const take = (child: ChildProcess) => {
      const held = suspendable(child.pid!)
      const hold = () => {
        held.hold()
        resolve(held)
      }
      if (!whenItReads) return hold()
      child.on('message', (report: { type?: string; part?: number }) => {
        if (report.type === 'progress' && report.part! > 0 && child.exitCode === null) hold()
      })
      child.once('exit', () => resolve(held))
    }
    wanted.push(take)
    onTestFinished(() => {
      if (wanted.includes(take)) wanted.splice(wanted.indexOf(take), 1)
    })
  })
}

/** The process of an import, which can be made to stand still: the import runs on, however slow the test is. */
export interface ImportProcess {
  pid: number
  hold(): void
  goOn(): void
}

/** Waits until a server imports something: that of this process, or of another. `others` are imports that run already. */
export async function importProcess(server = process.pid, others: number[] = []): Promise<ImportProcess> {
  const pid = await eventually('an import has its process', async () => {
    return (await enginesOf(server, 'import')).find((found) => !others.includes(found))
  })
  return suspendable(pid)
}

function suspendable(pid: number): ImportProcess {
  const goOn = () => void process.kill(pid, 'SIGCONT')
  onTestFinished(() => {
    try {
      goOn()
    } catch {
      // It has ended, or was stopped.
    }
  })
  return { pid, hold: () => void process.kill(pid, 'SIGSTOP'), goOn }
}

/** The processes of the engine that a process has started and that have a task, of one kind or all. */
export function enginesOf(parent: number, kind = '\\w+'): Promise<number[]> {
  return childrenOf(parent, `tables/${kind}-child\\.js(?! spare)`)
}

/** Those that wait for a task. */
export function sparesOf(parent: number, kind = '\\w+'): Promise<number[]> {
  return childrenOf(parent, `tables/${kind}-child\\.js spare`)
}

async function childrenOf(parent: number, pattern: string): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='])
  return stdout.split('\n').flatMap((line) => {
    const [, pid, ppid, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return Number(ppid) === parent && new RegExp(pattern).test(args!) ? [Number(pid)] : []
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
