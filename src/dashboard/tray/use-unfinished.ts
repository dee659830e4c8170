import { useEffect, useState } from 'preact/hooks'
import type { JobRecord } from '../../protocol/jobs.js'
import { me } from '../account.js'
import { findLive, revision } from '../live/job-store.js'
import { untilUnlocked } from '../uploads/sending-lock.js'
import { openUnfinished, type Unfinished } from '../uploads/unfinished.js'
import { uploadItems } from '../uploads/upload-items.js'

/** Uploads that a reload, a crash or a closed page has interrupted, and that no tab sends. */
export function useUnfinished(): Unfinished[] {
  revision.value
  const here = new Set(uploadItems.value.map(({ status }) => status.value.jobId))
  const known = openUnfinished(me.value?.account ?? '').list()
  const elsewhere = known.filter(({ id }) => !here.has(id) && findLive(id)?.endedAt === null)
  const isUnsent = useUnsent(elsewhere.flatMap(({ id }) => findLive(id)?.record ?? []))
  return elsewhere.filter(isUnsent)
}

/** Filters jobs that no other tab sends; checked again with each change of a job's state. */
function useUnsent(jobs: JobRecord[]): ({ id }: { id: string }) => boolean {
  const [unsent, setUnsent] = useState<readonly string[]>([])
  const keys = jobs.map(({ id, state }) => `${id} ${state}`)
  useEffect(() => {
    const abort = new AbortController()
    setUnsent((before) => before.filter((key) => keys.includes(key)))
    for (const [index, job] of jobs.entries()) {
      untilUnlocked(job.id, abort.signal).then(() => {
        if (!abort.signal.aborted) setUnsent((before) => [...before, keys[index]!])
      })
    }
    return () => abort.abort()
  }, [keys.join()])
  return ({ id }) => unsent.some((key) => key.startsWith(id) && keys.includes(key))
}
