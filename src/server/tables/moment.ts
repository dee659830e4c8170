import { Problem } from '../../protocol/problems.js'
import { dateTest, isoDates, parseDateFormat } from './date-format.js'

const iso = parseDateFormat(isoDates)
const timePattern = /^(\d{4}-\d\d-\d\d)[T ]((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?)Z?$/

/** In a form that compares like its moment. Throws `invalid-request`. */
export function parseMoment(text: string, field: string): string {
  const [, day, time] = timePattern.exec(text) ?? [undefined, text, undefined]
  if (!dateTest(day!)(iso) || day!.length !== 10)
    throw invalid(field, `"${text}" is no date that exists; write it like 2014-10-08`)
  return time === undefined ? day! : `${day} ${time}`
}

function invalid(field: string, reason: string): Problem {
  return new Problem('invalid-request', `${field}: ${reason}.`, { field })
}
