import { publishedPath, routes } from '../../../protocol/routes.js'
import type { Download } from '../../downloads/begun-downloads.js'
import { newArchiveDownload, newDownload } from '../../downloads/download-queue.js'
import { address } from '../../router.js'

/** A folder of the account, or of an ops account that publishes it. */
export interface FolderPlace {
  /** The path of the API that lists it. */
  api: string
  /** With a slash at its end; empty at the top. */
  folder: string
  /** The publisher; undefined for the account's own. */
  ops?: string
}

export function ownPlace(folder: string): FolderPlace {
  return { api: routes.files, folder }
}

export function publishedPlace(ops: string, folder: string): FolderPlace {
  return { api: publishedPath(ops), folder, ops }
}

/** The address of a folder of the same account, in the order of the current list. */
export function hrefOfFolder(place: FolderPlace, folder: string): string {
  const path = pathOf(place, folder)
  const { query } = address.value
  const kept = new URLSearchParams([...query].filter(([name]) => name === 'sort' || name === 'order'))
  return kept.size === 0 ? path : `${path}?${kept}`
}

/** The download of a file, or of a folder as an archive. */
export function downloadOf(place: FolderPlace, name: string): Download {
  return newDownload(jobNameOf(place, name))
}

/** The download of one, or of several of the open folder as an archive. */
export function downloadOfSeveral(place: FolderPlace, names: readonly string[]): Download {
  if (names.length === 1) return downloadOf(place, names[0]!)
  return newArchiveDownload(jobNameOf(place, place.folder), names)
}

function pathOf({ api }: FolderPlace, folder: string): string {
  return `${api}/${folder.split('/').map(encodeURIComponent).join('/')}`
}

function jobNameOf({ ops }: FolderPlace, name: string): string {
  return ops === undefined ? name : `ops:${ops}/${name}`
}
