import type { FileHandle } from 'node:fs/promises'
import { type AdvisedOptions, withAdvised } from './advised-options.js'
import { readRecords } from './csv-records.js'
import { recogniseShape, type ShapeOptions } from './csv-shape.js'

/** The option that would cut all of the first records of a file into as many fields each; undefined if none of those tried does. */
export async function adviseShape(file: FileHandle, options: ShapeOptions): Promise<AdvisedOptions | undefined> {
  const { size } = await file.stat()
  const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(size, sampleBytes)), 0, undefined, 0)
  const bytes = buffer.subarray(0, bytesRead)
  const isComplete = bytesRead === size
  // Its fault is another one.
  if (isEven(bytes, isComplete, options)) return undefined
  for (const advised of alternatives(options)) {
    const changed = withAdvised(options, advised)
    if (isEven(bytes, isComplete, changed) && !losesRows(bytes, isComplete, changed, options)) return advised
  }
  return undefined
}

function* alternatives({ comment, quote, quoteEscape, skipLines, delimiter }: ShapeOptions): Generator<AdvisedOptions> {
  if (comment === undefined) yield { comment: '#' }
  if (quote === undefined && quoteEscape === undefined) {
    yield { escape: '\\' }
    yield { quote: '' }
  }
  if (skipLines === undefined) {
    for (let skipLines = 1; skipLines <= mostLinesAbove; skipLines++) yield { skipLines }
  }
  if (delimiter === undefined) yield { delimiter: ' ' }
}

/** Whether there are several records, of more than one field each, without faults, and of the same number of fields. */
function isEven(bytes: Buffer, isComplete: boolean, options: ShapeOptions): boolean {
  try {
    const { above, ...shape } = recogniseShape(bytes, isComplete, options)
    const text = bytes.subarray(shape.bom).toString().slice(above.characters)
    let columns = 0
    let records = 0
    for (const { fields, fault } of readRecords(text, shape, { complete: isComplete })) {
      columns ||= fields.length
      if (fault !== null || fields.length !== columns || columns === 1) return false
      if (++records === mostRecords) break
    }
    return records > 1
  } catch {
    // It is empty then, for example.
    return false
  }
}

/** Whether lines that would be skipped have as many fields as the rows: they can be read. */
function losesRows(
  bytes: Buffer,
  isComplete: boolean,
  options: ShapeOptions,
  { skipLines = 0 }: ShapeOptions,
): boolean {
  if (options.skipLines === undefined || options.skipLines === skipLines) return false
  const { above, ...shape } = recogniseShape(bytes, isComplete, options)
  const text = bytes.subarray(shape.bom).toString()
  const [first] = readRecords(text.slice(above.characters), shape, { complete: isComplete })
  const skipped = readRecords(text.slice(0, above.characters), shape, { complete: true })
  return [...skipped].some(({ fields }) => fields.length === first!.fields.length)
}

const sampleBytes = 256 * 1024
const mostLinesAbove = 30
const mostRecords = 1000
