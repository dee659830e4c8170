import { readFile } from 'node:fs/promises'

/**
 * When a process of this machine started, as a text that no later process of the same number repeats.
 * Null when there is no such process, or only its parent has not heard of its end; undefined where the system has no /proc to ask.
 */
export async function startTimeOf(pid: number): Promise<string | null | undefined> {
  const boot = await readIfThere('/proc/sys/kernel/random/boot_id')
  if (boot === null) return undefined
  const line = await readIfThere(`/proc/${pid}/stat`)
  if (line === null) return null
  // proc(5), from field 3 on: the name in field 2 may hold blanks and brackets. Field 22 counts ticks since boot.
  const [state, ...rest] = line.slice(line.lastIndexOf(')') + 2).split(' ')
  if (state === 'Z' || state === 'X') return null
  const ticks = rest[18]
  return `${boot.trim()}/${ticks}`
}

/** Whether a process of that number exists, whoever's it is. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it exists and is someone else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    // ESRCH: /proc answers so for a process that ends while it is read.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return null
    throw error
  }
}
