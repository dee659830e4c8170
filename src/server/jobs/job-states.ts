import type { JobState } from '../../protocol/jobs.js'

/** The allowed transitions of each state. */
export const mayBecome: Record<JobState, JobState[]> = {
  waiting: ['running', 'stopped', 'failed'],
  running: ['paused', 'interrupted', 'committing', 'done', 'stopped', 'failed'],
  paused: ['running', 'interrupted', 'done', 'stopped', 'failed'],
  interrupted: ['running', 'stopped', 'failed'],
  committing: ['done', 'failed'],
  done: [],
  stopped: [],
  failed: [],
}

export function isEndState(state: JobState): boolean {
  return mayBecome[state].length === 0
}
