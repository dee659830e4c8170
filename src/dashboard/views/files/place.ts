import { publishedPath, routes } from '../../../protocol/routes.js'
import { type Download, newDownload } from '../../downloads/download-queue.js'
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
export function hrefOfFolder({ api }: FolderPlace, folder: string): string {
  const path = `${api}/${folder.split('/').map(encodeURIComponent).join('/')}`
  const { query } = address.value
  const kept = new URLSearchParams([...query].filter(([name]) => name === 'sort' || name === 'order'))
  return kept.size === 0 ? path : `${path}?${kept}`
}

/** The download of a file, or of a folder as an archive. */
export function downloadOf({ ops }: FolderPlace, name: string): Download {
  return newDownload(ops === undefined ? name : `ops:${ops}/${name}`)
}
