import { Problem } from '../../protocol/problems.js'
import type { AdvisedOptions } from './advised-options.js'

/** The problem of a file, with the line that shows it. */
export function malformedAt(
  line: number,
  reason: string,
  advice = '',
  details: { column?: string | null; unnamed?: boolean; fix?: AdvisedOptions } = {},
): Problem {
  const more = advice === '' ? {} : { advice: advice.trim() }
  return new Problem('malformed-csv', `Line ${line}: ${reason}${advice}`, {
    column: null,
    ...details,
    ...more,
    line,
    reason,
  })
}
