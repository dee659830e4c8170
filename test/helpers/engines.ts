import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The processes of the engine that a process has started. */
export async function enginesOf(parent: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,args='])
  return stdout.split('\n').flatMap((line) => {
    const [, pid, ppid, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return Number(ppid) === parent && /tables\/\w+-child\.js/.test(args!) ? [Number(pid)] : []
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
