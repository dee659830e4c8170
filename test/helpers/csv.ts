import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'

const generator = fileURLToPath(new URL('../../bench/make-sales.mjs', import.meta.url))

/** Writes a file of sales, 14 columns and as many rows; always the same ones. */
export async function writeSales(path: string, rows: number): Promise<void> {
  const child = execFile(process.execPath, [generator, String(rows)], { encoding: 'buffer', maxBuffer: 2 ** 30 })
  await pipeline(child.stdout!, createWriteStream(path))
}

/** The text of a file of teams: their names, the names of their managers and telephone numbers. */
export function teams(rows: number): string {
  const first = ['Ada', 'Myra', 'Zoë', 'Martin', 'Olu', 'Søren']
  const last = ['Mason', 'Cook', "O'Neil", 'Wolfe', 'Chandler']
  const lines = Array.from({ length: rows }, (_, row) => {
    const manager = `${first[row % first.length]} ${last[row % last.length]}`
    return `Team ${row.toString(36)},${manager},(${200 + (row % 800)}) 555-${String(row % 10_000).padStart(4, '0')}`
  })
  return `team_name,manager_name,manager_phone_number\n${lines.join('\n')}\n`
}
