/** The formats of an archive of many files. */
export const archiveFormats = ['tar', 'zip'] as const
export type ArchiveFormat = (typeof archiveFormats)[number]

export const archiveTypes = {
  tar: 'application/x-tar',
  zip: 'application/zip',
} as const satisfies Record<ArchiveFormat, string>

/** The PAX record that holds a file's SHA-256, in hexadecimal digits. */
export const paxDigest = 'FILEJOBS.sha256'

export function isArchiveFormat(value: string): value is ArchiveFormat {
  return (archiveFormats as readonly string[]).includes(value)
}
