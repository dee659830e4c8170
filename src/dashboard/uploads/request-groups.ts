import { isPlain } from './chosen-files.js'
import { type ChosenFile, isEmptyFolder } from './dropped-files.js'

/** What is sent in one request each. */
export interface RequestGroups {
  /** Empty folders. */
  folders: ChosenFile[][]
  /** Small files. */
  tars: ChosenFile[][]
  others: ChosenFile[]
}

/** Groups small files and empty folders into tars, because a request for each would take longer than its bytes. */
export function groupForRequests(chosen: Iterable<ChosenFile>): RequestGroups {
  const all = [...chosen]
  return { folders: foldersOf(all.filter(isEmptyFolder)), ...filesOf(all.filter((one) => !isEmptyFolder(one))) }
}

/** A tar is refused as a whole for a name that cannot be stored. */
function foldersOf(folders: readonly ChosenFile[]): ChosenFile[][] {
  const plain = folders.filter(({ name }) => isPlain(name))
  const others = folders.filter(({ name }) => !isPlain(name))
  return [...(plain.length > 0 ? [plain] : []), ...others.map((folder) => [folder])]
}

function filesOf(files: readonly ChosenFile[]): Omit<RequestGroups, 'folders'> {
  const tars: ChosenFile[][] = []
  const others: ChosenFile[] = []
  const names = new Set<string>()
  let bytes = 0
  for (const chosen of files) {
    const { name, file } = chosen
    // A tar with a name twice is refused.
    if (file.size > maxSmallBytes || !isPlain(name) || names.has(name)) {
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
