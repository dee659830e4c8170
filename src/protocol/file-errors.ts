/** The one table of system error codes for files, folders and processes, for both sides. */
const faults = {
  ENOENT: 'missing',
  ENOTDIR: 'below-file',
  ELOOP: 'link',
  ENXIO: 'special',
  ENAMETOOLONG: 'too-long',
  EISDIR: 'folder',
  EEXIST: 'exists',
  ENOTEMPTY: 'not-empty',
  ENOSPC: 'full',
  EDQUOT: 'over-quota',
  EFBIG: 'too-large',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  EROFS: 'read-only',
  ESTALE: 'stale',
  EXDEV: 'other-device',
  ESRCH: 'no-process',
} as const

export type FileFault = (typeof faults)[keyof typeof faults]

/** Undefined for errors of any other kind. */
export function fileFault(error: unknown): FileFault | undefined {
  if (!(error instanceof Error) || !('code' in error) || !Object.hasOwn(faults, String(error.code))) return undefined
  return faults[error.code as keyof typeof faults]
}

/** Whether nothing exists there, so that a program may create it. */
export function isMissing(error: unknown): boolean {
  return fileFault(error) === 'missing'
}

/** Whether the path leads to no file or folder: nothing exists, or a segment is not a folder. */
export function isUnreachable(error: unknown): boolean {
  const fault = fileFault(error)
  return fault !== undefined && unreachable.includes(fault)
}

const unreachable: readonly FileFault[] = ['missing', 'below-file', 'link', 'special', 'too-long']

/** Whether the disk or the user's quota is full. */
export function isFull(error: unknown): boolean {
  const fault = fileFault(error)
  return fault === 'full' || fault === 'over-quota'
}

/** Whether a folder cannot be removed because it is not empty. Systems use either of the two codes. */
export function isOccupied(error: unknown): boolean {
  const fault = fileFault(error)
  return fault === 'not-empty' || fault === 'exists'
}

/** The system's error for a missing path. */
export function missingFile(message: string): Error {
  return Object.assign(new Error(message), { code: 'ENOENT' })
}
