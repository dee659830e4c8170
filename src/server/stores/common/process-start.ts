import { readFile } from 'node:fs/promises'
import { fileFault, isMissing } from '../../../protocol/file-errors.js'

/**
 * When a process of this machine started, as a text that no later process of the same number has. Null if there is no
 * such process, or only a zombie; undefined if the system has no /proc.
 */
export async function startTimeOf(pid: number): Promise<string | null | undefined> {
  const boot = await readIfThere('/proc/sys/kernel/random/boot_id')
  if (boot === null) return undefined
  const line = await readIfThere(`/proc/${pid}/stat`)
  if (line === null) return null
  // proc(5), from field 3 on: the name in field 2 may contain blanks and brackets. Field 22 counts ticks since boot.
  const [state, ...rest] = line.slice(line.lastIndexOf(')') + 2).split(' ')
  if (state === 'Z' || state === 'X') return null
  const ticks = rest[18]
  return `${boot.trim()}/${ticks}`
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    // /proc returns `no-process` for one that ends while it is read.
    if (isMissing(error) || fileFault(error) === 'no-process') return null
    throw error
  }
}
