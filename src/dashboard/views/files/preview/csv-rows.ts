/** The rows of the beginning of a CSV (RFC 4180), whose last one may be cut. The delimiter is the one that its first line has most of. */
export function rowsOfCsv(text: string, { maxRows }: { maxRows: number }): string[][] {
  const delimiter = delimiterOf(text)
  const rows: string[][] = []
  let row: string[] = []
  let field = ''
  let isQuoted = false
  const endField = () => {
    row.push(field)
    field = ''
  }
  const endRow = () => {
    endField()
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
  }
  for (let at = 0; at < text.length && rows.length < maxRows; at++) {
    const character = text[at]!
    if (isQuoted) {
      if (character !== '"') field += character
      else if (text[at + 1] === '"') field += text[at++]
      else isQuoted = false
    } else if (character === '"' && field === '') isQuoted = true
    else if (character === delimiter) endField()
    else if (character === '\n') endRow()
    else if (character !== '\r') field += character
  }
  if (rows.length < maxRows && (field !== '' || row.length > 0)) endRow()
  return rows
}

function delimiterOf(text: string): string {
  const line = text.slice(0, text.indexOf('\n') >>> 0)
  const count = (delimiter: string) => line.split(delimiter).length
  return [',', ';', '\t', '|'].reduce((best, other) => (count(other) > count(best) ? other : best))
}
