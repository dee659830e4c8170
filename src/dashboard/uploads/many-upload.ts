import type { JobFileList } from '../../protocol/folder-jobs.js'
import type { JobRecord } from '../../protocol/jobs.js'
import { jobHeader, jobPath, routes } from '../../protocol/routes.js'
import { newUuid } from '../../protocol/uuid.js'
import { errorText, Refusal } from '../api.js'
import { say } from '../words/say.js'
import { type ChosenFiles, contentsOf } from './chosen-files.js'
import type { ChosenFile } from './dropped-files.js'
import { endsOthers, mayBeLost } from './lost-job.js'
import { groupForRequests } from './request-groups.js'
import { keepTrying, request, type Sender } from './sender.js'
import { sendFolders, sendTar } from './tar-upload.js'
import { tusUpload, Unreadable } from './tus-upload.js'
import type { UnfinishedUploads } from './unfinished.js'
import { untilSlotIsFree } from './until-slot-is-free.js'

export interface ManyUpload extends Sender, ChosenFiles {
  /** The files that have not arrived. `onDone` and `onFailed` remove one. */
  left: ReadonlySet<ChosenFile>
  /** Whether existing files may be replaced. */
  replace: boolean
  /** The job of an earlier attempt on this page. */
  earlier: string | null
  unfinished: UnfinishedUploads
  /** Called before a job is opened, or when that of an earlier attempt is continued. */
  onJob(id: string, continues: boolean): void
  onDone(file: ChosenFile): void
  /** Called with a file that failed alone. The others continue. */
  onFailed(file: ChosenFile, error: unknown): void
}

/**
 * Uploads several files as one job: empty folders and small files in tars, the others by tus, several at a time. Continues
 * the job of an earlier attempt, even across a reload, and opens another one if the server has lost it. Resolves when each
 * file has arrived or failed. Throws `Refusal`, and the signal's reason.
 */
export async function uploadTogether(upload: ManyUpload): Promise<void> {
  const { title, identity, unfinished } = upload
  let earlier = unfinished.find(title, identity)?.id ?? upload.earlier
  for (let attempts = 1; ; attempts++) {
    const id = (earlier && (await findOpen(earlier, upload, attempts > 1))) || (await open(upload))
    try {
      await sendAll(id, upload)
      await keepTrying(upload, () => request(upload, 'POST', jobPath(id, 'finish')))
      unfinished.remove(id)
      return
    } catch (error) {
      if (!mayBeLost(error) || attempts === maxAttempts) throw error
      earlier = id
    }
  }
}

/** Returns the id of the job if it is still open. Skips the files that have arrived, also if it is not. */
async function findOpen(id: string, upload: ManyUpload, isMine: boolean): Promise<string | null> {
  try {
    const path = jobPath(id)
    const job = JSON.parse((await keepTrying(upload, () => request(upload, 'GET', path))).text) as JobRecord
    if (isMine && job.state === 'stopped') {
      throw new Refusal(409, {
        code: 'job-stopped',
        message: say('states.stoppedBy', { account: job.stoppedBy ?? '' }),
      })
    }
    await keepTrying(upload, () => skipArrived(id, upload))
    if (job.endedAt === null) {
      upload.onJob(id, true)
      return id
    }
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 404) throw error
  }
  upload.unfinished.remove(id)
  return null
}

async function open(upload: ManyUpload): Promise<string> {
  const { prefix: name, title, identity, left, unfinished } = upload
  const id = newUuid()
  const totalBytes = [...left].reduce((sum, { file }) => sum + file.size, 0)
  const body = JSON.stringify({ kind: 'upload', name, files: contentsOf(left).files, totalBytes })
  upload.onJob(id, false)
  unfinished.add(id, title, identity)
  await keepTrying(upload, async () => {
    try {
      await request(upload, 'POST', routes.jobs, { headers: { ...json, ...untilSlotIsFree, [jobHeader]: id }, body })
    } catch (error) {
      // The response to the previous attempt was lost.
      if (!(error instanceof Refusal) || error.code !== 'job-id-used') throw error
    }
  })
  return id
}

async function sendAll(id: string, upload: ManyUpload): Promise<void> {
  const end = new AbortController()
  const signal = AbortSignal.any([upload.signal, end.signal])
  const { folders, tars, others } = groupForRequests(upload.left)
  const one = (chosen: ChosenFile, sender: Sender) => sendOne(id, chosen, { ...upload, ...sender })
  const work = [
    // First: the files of a folder can be chosen again to resume, but not its empty folders.
    (sender: Sender) => sendFolders(id, folders, { ...upload, ...sender }),
    ...tars.map((files) => async (sender: Sender) => {
      const rest = await sendTar(id, files, { ...upload, ...sender }, () => skipArrived(id, upload))
      for (const chosen of rest) await one(chosen, sender)
    }),
    ...others.map((chosen) => (sender: Sender) => one(chosen, sender)),
  ].values()
  const lost = new Set<object>()
  const lane = async () => {
    const onLost = (isLost: boolean) => {
      if (isLost) lost.add(lane)
      else lost.delete(lane)
      upload.onLost(lost.size > 0)
    }
    for (const send of work) await send({ signal, onLost, maxSilenceMs: upload.maxSilenceMs })
  }
  const ending = (error: unknown) => {
    end.abort(error)
    throw error
  }
  await Promise.allSettled(Array.from({ length: lanes }, () => lane().catch(ending)))
  signal.throwIfAborted()
}

async function sendOne(id: string, chosen: ChosenFile, upload: ManyUpload): Promise<void> {
  const { signal, onLost, maxSilenceMs, replace, unfinished } = upload
  try {
    await tusUpload({ ...chosen, partOf: id, signal, onLost, maxSilenceMs, replace, unfinished })
    upload.onDone(chosen)
  } catch (error) {
    if (signal.aborted || endsOthers(error)) throw error
    if (error instanceof Unreadable) await reportUnreadable(id, chosen, error, upload)
    upload.onFailed(chosen, error)
  }
}

/** Lists a file that the browser cannot read, which the server does not notice. */
async function reportUnreadable(id: string, { name }: ChosenFile, error: unknown, sender: Sender): Promise<void> {
  const body = JSON.stringify({ files: [{ name, code: 'not-accessible', message: errorText(error) }] })
  await keepTrying(sender, () => request(sender, 'POST', jobPath(id, 'failed'), { headers: json, body }))
}

/** Skips files of the job that have arrived although the response was lost. */
async function skipArrived(id: string, upload: ManyUpload): Promise<void> {
  const byName = new Map([...upload.left].map((chosen) => [chosen.name, chosen]))
  for (let cursor: string | null = '0'; cursor !== null; ) {
    const path: string = `${jobPath(id, 'files')}?limit=1000&cursor=${cursor}`
    const { files, next } = JSON.parse((await request(upload, 'GET', path)).text) as JobFileList
    for (const { name, size, error } of files) {
      const chosen = byName.get(name)
      if (chosen && error === null && chosen.file.size === size) upload.onDone(chosen)
    }
    cursor = next
  }
}

const json = { 'Content-Type': 'application/json' } as const
/** A browser opens six connections to a server; events and stops need some of them. */
const lanes = 4
const maxAttempts = 10
