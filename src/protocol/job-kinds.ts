export const jobKinds = ['upload', 'export', 'import', 'query'] as const

export const jobStates = [
  'waiting',
  'running',
  'paused',
  'interrupted',
  'committing',
  'done',
  'stopped',
  'failed',
] as const
