import { maxNameBytes, maxSegmentBytes } from '../../protocol/file-name.js'

/**
 * The n-th name for a file whose name may be taken: `a.txt`, `a (2).txt`, `a (3).txt`. The last segment is shortened where it would
 * be too long. `n` from 1.
 */
export function numberedName(name: string, n: number): string {
  if (n === 1) return name
  const start = name.lastIndexOf('/') + 1
  const [, stem = '', extension = ''] = /^(.+?)((?:\.tar)?\.[^.\s]{1,16})?$/su.exec(name.slice(start)) ?? []
  const number = ` (${n})`
  const folder = name.slice(0, start)
  const room = Math.min(maxSegmentBytes, maxNameBytes - byteLength(folder)) - byteLength(number + extension)
  return folder + shortened(stem, room) + number + extension
}

/**
 * A number whose name is free, and such that the name before it is taken: the lowest one unless some were removed. It asks
 * about few of them, also where there are thousands.
 */
export async function findFreeNumber(isTaken: (n: number) => Promise<boolean>): Promise<number> {
  let taken = 0
  let free = 1
  while (await isTaken(free)) {
    taken = free
    free *= 2
  }
  while (free - taken > 1) {
    const middle = Math.floor((taken + free) / 2)
    if (await isTaken(middle)) taken = middle
    else free = middle
  }
  return free
}

/** Whole characters. */
function shortened(text: string, maxBytes: number): string {
  const characters = [...text]
  while (byteLength(characters.join('')) > maxBytes) characters.pop()
  return characters.join('')
}

function byteLength(text: string): number {
  return Buffer.byteLength(text)
}
