import { Problem } from '../../protocol/problems.js'
import type { ColumnType } from '../../protocol/tables.js'

const integerPattern = /^ *-?(?:0|[1-9]\d*) *$/
const numberPattern = /^ *-?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})? *$/
const booleanPattern = /^(?:true|false)$/i
const decimalPattern = /^decimal\((\d{1,2}),\s*(\d{1,2})\)$/

/** Parses the types of `--types COLUMN=`. Throws `invalid-request`. */
export function parseColumnType(text: string): ColumnType {
  const type = text.trim().toLowerCase()
  if (simpleTypes.has(type)) return type as ColumnType
  if (type === 'decimal') return 'decimal(18,3)'
  const decimal = decimalPattern.exec(type)
  const [width, scale] = decimal ? [Number(decimal[1]), Number(decimal[2])] : [0, 0]
  if (decimal && width >= 1 && width <= 38 && scale <= width) return `decimal(${width},${scale})`
  throw new Problem(
    'invalid-request',
    `types must be text, integer, double, decimal(WIDTH,SCALE), boolean, date or timestamp, not "${text}".`,
    { field: 'types' },
  )
}

const simpleTypes = new Set<string>(['text', 'integer', 'double', 'boolean', 'date', 'timestamp'])

/** The engine's name of a type. */
export function engineType(type: ColumnType): string {
  switch (type) {
    case 'text':
      return 'VARCHAR'
    case 'integer':
      return 'BIGINT'
    case 'double':
      return 'DOUBLE'
    case 'boolean':
      return 'BOOLEAN'
    case 'date':
      return 'DATE'
    case 'timestamp':
      return 'TIMESTAMP'
    default:
      return type.toUpperCase()
  }
}

export function decimalShape(type: ColumnType): { width: number; scale: number } | undefined {
  const decimal = decimalPattern.exec(type)
  return decimal ? { width: Number(decimal[1]), scale: Number(decimal[2]) } : undefined
}

/**
 * Whether a value can be converted to a type of numbers or to a boolean without loss: no cut zeros, no bits that do not fit.
 * The engine's own casts are more lenient: they read `1.5` as the integer 2.
 */
export function fits(value: string, type: Exclude<ColumnType, 'text' | 'date' | 'timestamp'>): boolean {
  switch (type) {
    case 'integer': {
      if (!integerPattern.test(value)) return false
      const digits = value.trim().replace('-', '')
      return (
        digits.length < 19 || (digits.length === 19 && BigInt.asIntN(64, BigInt(value.trim())) === BigInt(value.trim()))
      )
    }
    case 'double':
      return numberPattern.test(value) && Number.isFinite(Number(value))
    case 'boolean':
      return booleanPattern.test(value)
    default:
      return fitsDecimal(value, decimalShape(type)!)
  }
}

/**
 * Whether a double gives back the decimal number as written. Up to 15 digits always do; of longer ones, those that
 * programs print: `0.30000000000000004`, but not `0.3000000000000000001`, nor `1e-400`, which becomes 0.
 */
export function isExactDouble(value: string): boolean {
  const text = value.trim()
  if (text.length <= 15 && !/[eE]/.test(text)) return true
  const back = String(Number(text))
  return back === text || plainDecimal(back) === plainDecimal(text)
}

/**
 * Its digits without leading and trailing zeros, and the position of the point: the same for `1.50`, `15e-1` and `1.5`.
 */
function plainDecimal(text: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] = /^(-?)(\d*)\.?(\d*)(?:[eE](.*))?$/.exec(text)!
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = withoutEndZeros(digits)
  const point = digits.length - fraction.length + Number(exponent)
  return significant === '' ? '0' : `${sign}${significant}e${point}`
}

/** In one pass: `/0+$/` starts again at each zero, which takes hours for millions of them. */
export function withoutEndZeros(digits: string): string {
  let end = digits.length
  while (end > 0 && digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

function fitsDecimal(value: string, { width, scale }: { width: number; scale: number }): boolean {
  const match = /^ *-?(\d*)(?:\.(\d*))? *$/.exec(value)
  if (!match || !/\d/.test(value)) return false
  const [, whole = '', fraction = ''] = match
  return whole.replace(/^0+/, '').length <= width - scale && withoutEndZeros(fraction).length <= scale
}
