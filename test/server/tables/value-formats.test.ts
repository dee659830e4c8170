import { describe, expect, it } from 'vitest'
import type { ColumnType } from '../../../dist/protocol/tables.js'
import { parseDateFormat } from '../../../dist/server/tables/date-format.js'
import { timeFormats } from '../../../dist/server/tables/time-format.js'
import { ValueFormats, type ValueOptions } from '../../../dist/server/tables/value-formats.js'

function read(value: string, type: ColumnType, options: ValueOptions = {}, dateFormat = 'iso', form = 0) {
  const dates = parseDateFormat(dateFormat)
  return new ValueFormats(options).read(value, type, { dates, times: timeFormats(dates).at(form)! })
}

describe('numbers', () => {
  it.each<[string, ValueOptions, string | undefined]>([
    ['1,5', { decimal: ',' }, '1.5'],
    ['-1,5e3', { decimal: ',' }, '-1.5e3'],
    ['1.5', { decimal: ',' }, undefined],
    ['1.234', { decimal: ',' }, undefined],
    ['1.234', { decimal: ',', thousands: '.' }, '1234'],
    ['1.234.567,89', { decimal: ',', thousands: '.' }, '1234567.89'],
    ['1.23,4', { decimal: ',', thousands: '.' }, undefined],
    ['12.34', { decimal: ',', thousands: '.' }, undefined],
    ['1,234', { thousands: ',' }, '1234'],
    ['1234', { thousands: ',' }, '1234'],
    ['1,23', { thousands: ',' }, undefined],
    ['1 234,5', { decimal: ',', thousands: ' ' }, '1234.5'],
    ['1\u202f234\u00a0567', { thousands: ' ' }, '1234567'],
    ["1'234.5", { thousands: "'" }, '1234.5'],
    ['12 %', { percent: true }, '0.12'],
    ['-0.5%', { percent: true }, '-0.005'],
    ['100%', { percent: true }, '1'],
    ['12345678901234567890%', { percent: true }, '123456789012345678.90'.replace(/0$/, '')],
    ['1e2%', { percent: true }, undefined],
    ['12', { percent: true }, '12'],
    ['€ 1,50', { currency: ['€'], decimal: ',' }, '1.50'],
    ['-$5', { currency: ['$'] }, '-5'],
    ['$-5', { currency: ['$'] }, '-5'],
    ['US$ 1,000', { currency: ['$', 'US$'], thousands: ',' }, '1000'],
    ['5 £', { currency: ['$'] }, undefined],
  ])('like %s with %j are %s', (value, options, expected) => {
    expect(read(value, 'double', options)).toBe(expected)
  })

  it('keep their digits, however many there are', () => {
    const digits = '1'.repeat(30)
    expect(read(`${digits},${digits} %`, 'decimal(38,0)', { decimal: ',', percent: true })).toBeUndefined()
    expect(read('123.456.789.012.345,67', 'decimal(17,2)', { decimal: ',', thousands: '.' })).toBe('123456789012345.67')
  })

  it('are read in no time, also if they consist of a million zeros', () => {
    const zeros = `${'0'.repeat(1_000_000)}1`
    expect(read(`1${zeros}%`, 'double', { percent: true })).toBeUndefined()
    expect(read(`0.${'0'.repeat(1_000_000)}%`, 'double', { percent: true })).toBe('0')
  })
})

describe('times', () => {
  it.each([
    ['2026-11-28 14:30', 'iso', 'plain', '2026-11-28 14:30'],
    ['2026-11-28T14:30:00Z', 'iso', 'plain', '2026-11-28T14:30:00Z'],
    ['2026-11-28 2:30', 'iso', 'plain', undefined],
    ['2026-11-28 02:30 PM', 'iso', 'plain', undefined],
    ['2026-11-28 2:30 PM', 'iso', false, '2026-11-28 14:30:00'],
    ['2026-11-28T14:30:00+02:00', 'iso', false, undefined],
    ['2026-11-28T14:30:00+02:00', 'iso', true, '2026-11-28 12:30:00'],
    ['2026-01-01T00:30:00.25+0130', 'iso', true, '2025-12-31 23:00:00.25'],
    ['2026-11-28 14:30:00-08', 'iso', true, '2026-11-28 22:30:00'],
    ['2026-11-28T14:30:00Z', 'iso', true, '2026-11-28 14:30:00'],
    ['2026-11-28T14:30:00', 'iso', true, undefined],
    ['28.11.2026 14:30', '%d.%m.%Y', false, '2026-11-28 14:30:00'],
    ['11/28/2026 2:30 PM', 'month-first', false, '2026-11-28 14:30:00'],
    ['11/28/2026 12:05:07 am', 'month-first', false, '2026-11-28 00:05:07'],
    ['11/28/2026 13:05 PM', 'month-first', false, undefined],
    ['28 Nov 2026 14:30', '%d %b %Y', false, '2026-11-28 14:30:00'],
    ['2026-02-30 14:30', 'iso', false, undefined],
    ['2026-11-28 24:00', 'iso', false, undefined],
    ['2026-11-28 14:30:00+25:00', 'iso', true, undefined],
  ])('like %s in the format %s (offsets: %s) are %s', (value, dates, offsets, expected) => {
    const form = offsets === 'plain' ? 0 : offsets ? -1 : -2
    expect(read(value, 'timestamp', {}, dates, form)).toBe(expected)
  })
})

describe('other values', () => {
  it('are dates with names of months, true and false in words, and missing ones', () => {
    expect(read('1-Feb-2026', 'date', {}, '%d-%b-%Y')).toBe('2026-02-01')
    expect(read('1-february-2026', 'date', {}, '%d-%b-%Y')).toBe('2026-02-01')
    expect(read('1-Febr-2026', 'date', {}, '%d-%b-%Y')).toBeUndefined()
    expect(read('29-Feb-2026', 'date', {}, '%d-%b-%Y')).toBeUndefined()
    expect(read('JA', 'boolean', { booleans: [['ja', 'nein']] })).toBe('true')
    expect(read('true', 'boolean', { booleans: [['ja', 'nein']] })).toBe('true')
    expect(read('1', 'boolean', { booleans: [['ja', 'nein']] })).toBeUndefined()
    const formats = new ValueFormats({ nulls: ['NA', '-'] })
    expect(['NA', ' - ', 'na', ''].map((value) => formats.isNull(value))).toEqual([true, true, false, false])
  })
})
