import type { Context } from './context.js'
import { Exit, exitCodes, Failure } from './exit-codes.js'

/** A password from `FILEJOBS_PASSWORD` or a hidden prompt: never from an argument, which other users can see. */
export async function askPassword(context: Context, question: string): Promise<string> {
  return context.env.FILEJOBS_PASSWORD || promptHidden(context, `${question}: `)
}

/** Prompts twice, because a typing error would lock the user out. Throws a Failure if the two differ. */
export async function askNewPassword(context: Context, question: string): Promise<string> {
  const password = await promptHidden(context, `${question}: `)
  if ((await promptHidden(context, 'The same again: ')) === password) return password
  throw new Failure('wrongUse', 'The two passwords differ: nothing was done.')
}

/** Reads one line from stdin for each name. Throws a Failure that names the first missing one. */
export async function readPasswords(stdin: NodeJS.ReadStream, names: readonly string[]): Promise<string[]> {
  const chunks: Buffer[] = []
  let lineEnds = 0
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    for (const byte of chunk) if (byte === 0x0a) lineEnds += 1
    if (lineEnds >= names.length) break
  }
  const lines = Buffer.concat(chunks).toString('utf8').split(/\r?\n/)
  return names.map((name, index) => {
    if (lines[index]) return lines[index]
    throw new Failure('wrongUse', `stdin holds no ${name}: write it on a line of its own.`)
  })
}

/** Prompts for a line of text on the terminal. Throws a Failure with the message `otherwise` without an answer. */
export async function askLine(context: Context, question: string, otherwise: string): Promise<string> {
  if (!context.stdin.isTTY) throw new Failure('wrongUse', otherwise)
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: context.stdin, output: context.stderr, terminal: true })
  const left = new AbortController()
  // Ctrl-C and Ctrl-D close it; without this handler the promise would never settle.
  lines.once('close', () => left.abort())
  try {
    return (await lines.question(question, { signal: left.signal })).trim()
  } catch (error) {
    if (!left.signal.aborted) throw error
    context.stderr.write('\n')
    throw new Exit(exitCodes.interrupted)
  } finally {
    lines.close()
  }
}

/** In raw mode nothing is echoed, and Ctrl-C arrives as a character. */
async function promptHidden({ stdin, stderr }: Context, question: string): Promise<string> {
  if (!stdin.isTTY) {
    throw new Failure('wrongUse', 'No terminal to ask for the password: use --password-stdin or FILEJOBS_PASSWORD.')
  }
  // Before the prompt is shown, so that no input is echoed.
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  try {
    stderr.write(question)
    return await readHidden(stdin)
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

const keys = { interrupt: '\u0003', end: '\u0004', backspace: '\b', clear: '\u0015', delete: '\u007f' }

function readHidden(stdin: NodeJS.ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const finish = (settle: () => void) => {
      stdin.off('data', read).off('end', leave)
      settle()
    }
    const leave = () => finish(() => reject(new Exit(exitCodes.interrupted)))
    const read = (chunk: Buffer | string) => {
      for (const key of chunk.toString()) {
        if (key === keys.interrupt || (key === keys.end && text === '')) return leave()
        if (key === '\r' || key === '\n' || key === keys.end) return finish(() => resolve(text))
        if (key === keys.clear) text = ''
        else if (key === keys.backspace || key === keys.delete) text = [...text].slice(0, -1).join('')
        else text += key
      }
    }
    stdin.on('data', read).once('end', leave).resume()
  })
}
