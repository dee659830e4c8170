import { jobKinds, jobStates } from '../../../protocol/job-kinds.js'
import type { JobKind, JobRecord, JobState } from '../../../protocol/jobs.js'

/** What the list of transfers shows, as the address has it; empty texts are missing there. */
export interface JobQuery {
  kind: JobKind | ''
  state: JobState | ''
  /** `role:username`, if the jobs of everyone are listed. */
  account: string
  /** How old: since when a job has ended; running ones are always new. */
  since: keyof typeof ages | ''
  /** The code of a failure. */
  error: string
  /** By account, unless the address says `group=time`, if the jobs of everyone are listed. */
  grouped: boolean
}

/** From when on the choices of `since` are. */
export const ages = {
  hour: (now: Date) => new Date(now.getTime() - 3_600_000),
  today: (now: Date) => new Date(now.getFullYear(), now.getMonth(), now.getDate()),
  week: (now: Date) => new Date(now.getTime() - 7 * 86_400_000),
  month: (now: Date) => new Date(now.getTime() - 30 * 86_400_000),
} as const

export const endStates = ['done', 'stopped', 'failed'] as const satisfies JobState[]

/** Of an address. `everyone`: whether the jobs of all accounts are listed. */
export function parseJobQuery(parameters: URLSearchParams, everyone: boolean): JobQuery {
  const of = (name: string) => parameters.get(name) ?? ''
  return {
    kind: jobKinds.find((kind) => kind === of('kind')) ?? '',
    state: jobStates.find((state) => state === of('state')) ?? '',
    account: everyone ? of('account') : '',
    since: sinceOf(of('since')),
    error: of('error'),
    grouped: everyone && of('group') !== 'time',
  }
}

/** Whether ended jobs may fit. */
export function wantsEnded({ state }: JobQuery): boolean {
  return state === '' || isEnd(state)
}

/** The parameters of `GET /jobs` for the ended jobs; `now` is when the list was opened, so that it stays the same list. */
export function endedParameters({ kind, state, account, since, error }: JobQuery, everyone: boolean, now: Date) {
  return {
    kind,
    state: state || endStates.join(','),
    account: everyone ? account || 'all' : undefined,
    from: since === '' ? undefined : ages[since](now).toISOString(),
    error,
  }
}

/** Whether a job fits. */
export function fitsQuery(job: JobRecord, query: JobQuery, now: Date): boolean {
  const { kind, state, account, since, error } = query
  if (kind !== '' && job.kind !== kind) return false
  if (state !== '' && job.state !== state) return false
  if (account !== '' && job.account !== account) return false
  if (error !== '' && job.error?.code !== error) return false
  return since === '' || job.endedAt === null || new Date(job.endedAt) >= ages[since](now)
}

/** Whether it leaves anything out. */
export function isFiltered({ kind, state, account, since, error }: JobQuery): boolean {
  return [kind, state, account, since, error].some((text) => text !== '')
}

function isEnd(state: JobState): boolean {
  return endStates.some((end) => end === state)
}

function sinceOf(text: string): JobQuery['since'] {
  return Object.hasOwn(ages, text) ? (text as keyof typeof ages) : ''
}
