import { Problem } from '../../protocol/problems.js'

/** Formats that cannot be imported, by their first bytes, one character each, with advice. */
const binary: [start: string, advice: string][] = [
  ['\xd0\xcf\x11\xe0', 'The file is an Excel workbook (.xls); save the sheet as CSV.'],
  ['\x28\xb5\x2f\xfd', 'The file is compressed with Zstandard; decompress it, or compress it with gzip.'],
  ['\xfd7zXZ\0', 'The file is compressed with xz; decompress it, or compress it with gzip.'],
  ['\x1f\x8b', 'The file is compressed with gzip twice; decompress it once.'],
  ['7z\xbc\xaf\x27\x1c', 'The file is a 7-Zip archive; extract the table from it.'],
  ['Rar!', 'The file is a RAR archive; extract the table from it.'],
  [
    'SQLite format 3\0',
    'The file is an SQLite database; export the table as CSV: sqlite3 -header -csv FILE "select * from …".',
  ],
  ['%PDF-', 'The file is a PDF; export the table as CSV from where it comes from.'],
  ['PARE', 'The file is an encrypted Parquet file; save it without encryption.'],
  ['ARROW1', 'The file is an Arrow file (Feather); save it as Parquet.'],
  ['Obj\x01', 'The file is an Avro file; save it as Parquet.'],
]

const texts: [start: RegExp, advice: string][] = [
  [
    /^\s*(?:<!--[^>]*>\s*)?<(?:!doctype\s+html|html|head|body|meta|title)\b/i,
    'The file is an HTML page, perhaps the login or error page of a site; download the CSV again.',
  ],
  [/^\s*<\?xml\b/i, 'The file is XML; export the table as CSV or JSON.'],
]

/** Throws `malformed-csv` if the start of a file shows that it is of another format, with its name and what to do. */
export function refuseOtherFormats(head: Buffer): void {
  const advice = binaryAdvice(head.toString('latin1'))
  if (advice) throw refusedFile(advice)
}

/** As `refuseOtherFormats`, for formats that are text, in any encoding. */
export function refuseMarkup(head: Buffer): void {
  const text = head.toString('utf8', 0, 1000).replace(/^\ufeff/, '')
  const [, advice] = texts.find(([start]) => start.test(text)) ?? []
  if (advice) throw refusedFile(advice)
}

export function refusedFile(reason: string): Problem {
  return new Problem('malformed-csv', reason, { line: 1, column: null, reason })
}

function binaryAdvice(head: string): string | undefined {
  if (head.startsWith('PK\x03\x04') || head.startsWith('PK\x05\x06')) return zipAdvice(head)
  if (head.startsWith('ustar', 257)) return 'The file is a tar archive; extract the table from it.'
  if (/^BZh[1-9]1AY&SY/.test(head)) return 'The file is compressed with bzip2; decompress it, or compress it with gzip.'
  return binary.find(([start]) => head.startsWith(start))?.[1]
}

/** Workbooks are ZIP archives, with members of these names near the start. */
function zipAdvice(head: string): string {
  if (head.includes('application/vnd.oasis.opendocument.spreadsheet')) {
    return 'The file is an OpenDocument spreadsheet (.ods); save the sheet as CSV.'
  }
  const isWorkbook = head.includes('xl/') || head.includes('[Content_Types].xml')
  return isWorkbook
    ? 'The file is an Excel workbook (.xlsx); save the sheet as CSV.'
    : 'The file is a ZIP archive; extract the table from it, or compress it with gzip.'
}
