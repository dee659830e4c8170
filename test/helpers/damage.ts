import { execFileSync } from 'node:child_process'

/** Changes the first byte of a file, and nothing else that the file system tells of it. */
export function damageFile(path: string): void {
  const script = 'touch -r "$1" "$2" && printf X | dd of="$1" conv=notrunc 2>/dev/null && touch -r "$2" "$1"; rm "$2"'
  execFileSync('sh', ['-c', script, 'sh', path, `${path}.time`])
}
