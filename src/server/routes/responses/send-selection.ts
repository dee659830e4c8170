import type { Context } from 'hono'
import type { ExportMany } from '../../../protocol/files.js'
import { Problem } from '../../../protocol/problems.js'
import { jobHeader, jobPath, partOfHeader } from '../../../protocol/routes.js'
import type { ArchiveExports } from '../../archives/archive-exports.js'
import type { PreparedArchives } from '../../archives/prepared-archives.js'
import { commonFolder, selectNames } from '../../archives/selection.js'
import { hangUpSignal, leftSignal } from '../../http/connection.js'
import type { AppEnv } from '../../routing/app-env.js'
import type { Space } from '../../stores/files.js'
import { exportOptionsOf } from '../headers/export-options.js'
import { parseChosen, parseFolder } from '../headers/names.js'
import { sendArchive } from './send-archive.js'

export interface SelectionServices {
  archives: ArchiveExports
  prepared: PreparedArchives
}

interface SelectionAnswer {
  wanted: ExportMany
  space: Space
  /** The name that the job has for a folder of the space. */
  jobName(folder: string): string
}

/** Responds to a POST for several files and folders: with their archive, or with the job of one that is fetched next. */
export async function sendSelection(
  c: Context<AppEnv>,
  { archives, prepared }: SelectionServices,
  { wanted, space, jobName }: SelectionAnswer,
): Promise<Response> {
  const { files, folder, archive: format, digests, prepare } = wanted
  const base = folder ? parseFolder(folder) : ''
  const names = files.map((name) => parseChosen(base + name))
  const selection = { ...selectNames(space, names), base }
  const name = jobName(folder ?? commonFolder(names))
  const identity = c.get('identity')
  if (!prepare) return sendArchive({ env: c.env, identity, archives, selection, wanted: { format, digests }, name })
  const { incoming, outgoing } = c.env
  const { partOf, ...options } = exportOptionsOf(incoming)
  if (partOf !== null) {
    throw new Problem('invalid-request', 'A prepared archive is a job of its own.', { field: partOfHeader })
  }
  const signals = { left: leftSignal(outgoing), hungUp: hangUpSignal(outgoing) }
  const job = await prepared.prepare({ identity, name, selection, format, digests, ...options, ...signals })
  return c.json(job.record(), 201, { Location: jobPath(job.id, 'archive'), [jobHeader]: job.id })
}

/** About a hundred thousand names within their folder. */
export const maxNamesBytes = 4 * 1024 ** 2
