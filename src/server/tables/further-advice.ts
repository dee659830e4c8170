import { type FileHandle, open, rm } from 'node:fs/promises'
import { Problem } from '../../protocol/problems.js'
import { type AdvisedOptions, withAdvised, wordsOf } from './advised-options.js'
import { checkCsv } from './csv-check.js'
import { decodeText } from './decode-text.js'
import type { ImportTask } from './import-messages.js'
import { bounded, chunksOf } from './import-source.js'
import { firstProblem, type PlannedFile, planText } from './planned-file.js'
import { adviseShape } from './shape-advice.js'

/**
 * The problem of a CSV, with advice also on what would be refused next if the advice on it was followed: a person should have to
 * try once more, not once for each fault. Any other failure, and one on which no more can be said, is returned as it is.
 */
export async function adviseFurther<Failure>(
  failure: Failure,
  { task, source, converted }: Omit<PlannedFile, 'plan'>,
): Promise<Failure | Problem> {
  const fix = failure instanceof Problem && !converted ? fixOf(failure) : undefined
  if (!fix || !(failure instanceof Problem)) return failure
  if (fix.encoding === undefined) return advise(failure, fix, task, source)
  const decoded = await open(task.copy, 'w+', 0o600)
  try {
    const text = decodeText(() => chunksOf(source), fix.encoding)
    for await (const chunk of bounded(text, task.maxBytes)) await decoded.writeFile(chunk)
    return await advise(failure, fix, task, decoded)
  } catch {
    // There is no room for the decoded text, for example: the file is refused for what it is.
    return failure
  } finally {
    await decoded.close()
    await rm(task.copy, { force: true })
  }
}

async function advise(problem: Problem, fix: AdvisedOptions, task: ImportTask, source: FileHandle): Promise<Problem> {
  let more: AdvisedOptions = {}
  for (let tried = 0; tried < mostOptions; tried++) {
    const csvOptions = withAdvised(task.csvOptions, { ...fix, ...more })
    const next = await nextFix({ ...task, csvOptions }, source)
    if (!next) break
    more = { ...more, ...next }
  }
  if (Object.keys(more).length === 0) return problem
  const { code, message, details } = problem
  const also = ` The file needs ${wordsOf(more)} as well.`
  return new Problem(code, message + also, {
    ...details,
    advice: `${details.advice}${also}`,
    fix: { ...fix, ...more },
  })
}

/** What would read a file that an import would refuse, or take for one column; undefined if nothing is needed or known. */
async function nextFix(task: ImportTask, source: FileHandle): Promise<AdvisedOptions | undefined> {
  try {
    const plan = await planText(source, task, undefined)
    if (plan.columns.length === 1) return await adviseShape(source, task.csvOptions)
    if (task.skipBadLines) return undefined
    const check = await checkCsv(source, plan, { skipBadLines: false })
    return fixOf(await firstProblem(check, { task, plan, source, converted: undefined }))
  } catch (error) {
    if (error instanceof Problem) return fixOf(error)
    throw error
  }
}

function fixOf(problem: Problem | undefined): AdvisedOptions | undefined {
  return problem?.details.fix as AdvisedOptions | undefined
}

const mostOptions = 4
