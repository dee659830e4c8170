/** Files: an account's own, and those that others publish. */
export const filesEnglish = {
  'files.title': 'Files',
} as const
