import { fileFault } from './file-errors.js'

/** Whether a process with this pid exists, of any user. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It exists, and belongs to another user.
    return fileFault(error) === 'forbidden'
  }
}
