import { Problem, type ProblemCode } from '../../../protocol/problems.js'

/**
 * A problem as the sender of a link for uploads is told of it: without the names of the owner's folders, without what the owner
 * has, and without the jobs of other senders.
 */
export function problemForSender(problem: Problem): Problem {
  const { code, message, details, cause } = problem
  const job = details.job as { id?: string } | undefined
  const isOwn = code !== 'job-running' && job?.id !== undefined
  const kept = Object.entries(details).filter(([name]) => shownDetails.includes(name))
  const shown = { ...Object.fromEntries(kept), ...(isOwn ? { job: { id: job.id } } : {}) }
  return new Problem(code, ownWords[code] ?? message, shown, { cause })
}

const shownDetails = [
  ...['retryAfter', 'field', 'offset', 'length', 'filesLeft', 'bytesLeft', 'maxFileSize', 'stoppedBy'],
  'acceptEncoding',
]

const ownWords: { [code in ProblemCode]?: string } = {
  'job-running': 'As many uploads as this link takes at once are running: try again when one has ended.',
  'name-conflict': 'The name cannot be stored: one of its folders is the name of a file here.',
  'quota-exceeded': 'There is no room for it here: ask who wants the files to make some.',
  'upload-gone': 'The upload has ended or expired: begin it again.',
}
