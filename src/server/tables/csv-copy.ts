import type { FileHandle } from 'node:fs/promises'
import type { CsvPlan } from './csv-plan.js'
import { readRecords } from './csv-records.js'

/**
 * Writes valid records as the engine reads them without doubt: with a byte order mark, LF as line end, doubled quotes, no spaces
 * around them, no words for missing values, and values in their canonical form.
 */
export class CopyWriter {
  readonly #plan: CsvPlan
  readonly #file: FileHandle | undefined
  readonly #needsQuotes: RegExp
  #parts: Buffer[] = []

  /** Without a file, it does nothing. */
  constructor(plan: CsvPlan, file: FileHandle | undefined) {
    this.#plan = plan
    this.#file = file
    const { delimiter } = plan
    const mark = delimiter === '|' || delimiter === '^' ? `\\${delimiter}` : delimiter
    this.#needsQuotes = new RegExp(`[${mark}${quoteOfCopy(plan)}\\r\\n]|^ `)
    // The engine drops a byte order mark at the start of a file, and must not drop it from the first value.
    if (file) this.#parts.push(Buffer.from('\ufeff'))
  }

  /** Bytes `from` to `to` are a record; `odd` as for `ScanTarget`. The bytes may change after `flush`. */
  add(bytes: Buffer, from: number, to: number, odd: boolean): void {
    if (!this.#file) return
    const isRewritten = odd || this.#plan.isRewritten
    this.#parts.push(
      isRewritten ? Buffer.from(this.#rewritten(bytes.toString('utf8', from, to))) : bytes.subarray(from, to),
    )
    this.#parts.push(lineEnd)
  }

  async flush(): Promise<void> {
    const parts = this.#parts
    this.#parts = []
    if (parts.length > 0) await this.#file?.writeFile(Buffer.concat(parts))
  }

  #rewritten(text: string): string {
    const { columns, values } = this.#plan
    // In a file of one column, an empty line is a record.
    const [record = { fields: [''] }] = readRecords(text, this.#plan, { complete: true, columns: columns.length })
    const quote = quoteOfCopy(this.#plan)
    const fields = record.fields.map((field, at) => {
      const column = columns[at]!
      if (values.isNull(field)) return ''
      const plain = column.isRewritten && field !== '' ? values.readIn(column, field)! : field
      return this.#needsQuotes.test(plain) ? quote + plain.replaceAll(quote, quote + quote) + quote : plain
    })
    return fields.join(this.#plan.delimiter)
  }
}

/** In which quotes are doubled. */
export function quoteOfCopy({ quote, quoteEscape }: Pick<CsvPlan, 'quote' | 'quoteEscape'>): string {
  return quote === '' || quoteEscape !== undefined ? '"' : quote
}

const lineEnd = Buffer.from('\n')
