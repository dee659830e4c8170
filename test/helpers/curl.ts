import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, onTestFinished } from 'vitest'
import { hasProgram } from './system-programs.js'

export interface CurlAnswer {
  /** curl's exit code. */
  code: number
  /** 0 where no answer came. */
  status: number
  /** The media type, without parameters. */
  type: string
  body: Buffer
  text: string
  /** The body as JSON; undefined where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at the members that it expects
  json: any
}

const hasCurl = hasProgram('curl')

/** Tests that speak by plain `curl`; skipped, and saying so, where there is none. */
export function describeWithCurl(name: string, tests: () => void): void {
  describe.skipIf(!hasCurl)(hasCurl ? name : `${name} (skipped: no curl)`, tests)
}

/** Runs `curl` to its end; it is ended with the test at the latest. */
export async function curl(...args: string[]): Promise<CurlAnswer> {
  const child = spawn('curl', ['-sS', '-w', '%{stderr}\n#%{http_code} %{content_type}', ...args])
  const closed = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await closed
  })
  const out: Buffer[] = []
  let words = ''
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words += text
  })
  const [code] = await closed
  const [, status = '0', type = ''] = /\n#(\d+) ([^;]*)/.exec(words) ?? []
  const body = Buffer.concat(out)
  const text = body.toString()
  return { code: code ?? 128, status: Number(status), type, body, text, json: jsonOf(text) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
