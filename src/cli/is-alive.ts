import { fileFault } from '../protocol/file-errors.js'

/** Whether there is a process with this number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return fileFault(error) === 'forbidden'
  }
}
