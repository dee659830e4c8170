import { Problem } from '../../protocol/problems.js'

/** Formats that often have the name of a CSV, by their first bytes, with advice for each. */
const binary: [start: number[], advice: string][] = [
  [[0xff, 0xfe], 'The file is UTF-16; save it as UTF-8.'],
  [[0xfe, 0xff], 'The file is UTF-16; save it as UTF-8.'],
  [[0x50, 0x4b, 0x03, 0x04], 'The file is a ZIP archive or a workbook such as .xlsx; save the sheet as CSV.'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'The file is a workbook such as .xls; save the sheet as CSV.'],
  [[0x1f, 0x8b], 'The file is compressed with gzip; decompress it first.'],
]

const texts: [start: RegExp, advice: string][] = [
  [
    /^\s*(?:<!--[^>]*>\s*)?<(?:!doctype\s+html|html|head|body|meta|title)\b/i,
    'The file is an HTML page, perhaps the login or error page of a site; download the CSV again.',
  ],
  [/^\s*<\?xml\b/i, 'The file is XML.'],
  [/^%PDF-/, 'The file is a PDF.'],
]

/** Throws `malformed-csv` if the start of a file shows that it is not a CSV, or has to be saved differently. */
export function refuseOtherFormats(bytes: Buffer): void {
  const text = bytes.toString('utf8', 0, 1000).replace(/^\ufeff/, '')
  const [, advice] =
    binary.find(([start]) => bytes.subarray(0, start.length).equals(Buffer.from(start))) ??
    texts.find(([start]) => start.test(text)) ??
    []
  if (advice) throw new Problem('malformed-csv', advice, { line: 1, column: null, reason: advice })
}
