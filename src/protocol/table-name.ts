/** Lower case, so that a table is unambiguous in every file system and needs no quotes in SQL. */
export const tableNamePattern = /^[a-z_][a-z0-9_]{0,62}$/

/** Derives a name from that of a file or folder: `2024 Sales.csv.gz` becomes `_2024_sales`. Undefined if nothing remains of it. */
export function tableNameOf(filename: string): string | undefined {
  const base = filename
    .slice(filename.lastIndexOf('/') + 1)
    .replace(/(?<!^)\.gz$/i, '')
    .replace(/(?<!^)\.[^.]*$/, '')
  const plain = base.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const name = plain.replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '')
  const table = `${/^\d/.test(name) ? '_' : ''}${name}`.slice(0, 63)
  return tableNamePattern.test(table) ? table : undefined
}
