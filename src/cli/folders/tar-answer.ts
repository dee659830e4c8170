import type { IncomingMessage } from 'node:http'
import { isProblemCode, Problem } from '../../protocol/problems.js'
import { answeredProblem } from '../answers.js'
import { Failure } from '../exit-codes.js'
import { readAnswer } from '../transfers/exchange.js'
import { linesOfBody, parseLine } from './remote-list.js'

/** The outcome of one file of a tar. */
export interface AnsweredFile {
  readonly name: string
  readonly status: string
  readonly size: number
  readonly sha256: string | null
  /** Set if the file failed. */
  readonly error: Error | undefined
}

/**
 * Reads the response to a tar, which has a line for each durable file. Returns its last line. Throws the error that ended
 * the tar, and `ECONNRESET` if the response is incomplete.
 */
export async function readTarAnswer(
  server: string,
  response: IncomingMessage,
  onFile: (file: AnsweredFile) => void,
): Promise<Record<string, unknown>> {
  if (response.statusCode !== 200 && response.statusCode !== 201) {
    const { status, body, headers } = await readAnswer(response)
    throw answeredProblem(server, status, body, headers)
  }
  let end: Record<string, unknown> | undefined
  for await (const lines of linesOfBody(response)) {
    for (const line of lines) {
      const parsed = parseLine(line, server)
      if (typeof parsed.name === 'string') onFile(fileOf(parsed.name, parsed))
      else if (parsed.error !== undefined) throw problemIn(parsed.error)
      else if (parsed.job !== undefined) end = parsed
    }
  }
  if (!end) throw Object.assign(new Error('the response is incomplete'), { code: 'ECONNRESET' })
  return end
}

function fileOf(name: string, { status, size, sha256, error }: Record<string, unknown>): AnsweredFile {
  return {
    name,
    status: String(status),
    size: typeof size === 'number' ? size : 0,
    sha256: typeof sha256 === 'string' ? sha256 : null,
    error: status === 'failed' ? problemIn(error) : undefined,
  }
}

function problemIn(error: unknown): Error {
  const { code, message, ...details } = { ...(typeof error === 'object' ? error : {}) } as Record<string, unknown>
  if (isProblemCode(code)) return new Problem(code, String(message), details)
  return new Failure('unexpected', typeof message === 'string' ? message : 'The server did not say why.')
}
