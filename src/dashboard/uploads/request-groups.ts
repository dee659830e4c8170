import { faultInTar } from './chosen-files.js'
import { type ChosenFile, isEmptyFolder } from './dropped-files.js'

export interface RequestGroups {
  /** Empty folders, for one request. */
  folders: ChosenFile[]
  /** Small files, for one request each. */
  tars: ChosenFile[][]
  /** Files that are sent one by one. */
  others: ChosenFile[]
}

/** Groups small files and empty folders into tars, because a request for each would take longer than its bytes. */
export function groupForRequests(chosen: Iterable<ChosenFile>): RequestGroups {
  const all = [...chosen]
  return { folders: all.filter(isEmptyFolder), ...filesOf(all.filter((one) => !isEmptyFolder(one))) }
}

function filesOf(files: readonly ChosenFile[]): Omit<RequestGroups, 'folders'> {
  const tars: ChosenFile[][] = []
  const others: ChosenFile[] = []
  const names = new Set<string>()
  let bytes = 0
  for (const chosen of files) {
    const { name, file } = chosen
    // A tar is refused as a whole for a name that cannot be stored, or is there twice.
    if (file.size > maxSmallBytes || faultInTar(name) || names.has(name)) {
      others.push(chosen)
      continue
    }
    names.add(name)
    bytes += file.size
    const last = tars.at(-1)
    if (last && last.length < maxFiles && bytes <= maxTarBytes) last.push(chosen)
    else {
      tars.push([chosen])
      bytes = file.size
    }
  }
  return { tars, others }
}

const maxSmallBytes = 64 * 1024
const maxFiles = 200
const maxTarBytes = 4 * 1024 ** 2
