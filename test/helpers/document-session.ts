import { execFile } from 'node:child_process'
import { fencedBlocks } from './fenced.js'

export interface Step {
  command: string
  /** Its output; `…` matches anything. */
  output: string
}

/** The commands of the `console` blocks of a document, or of one of its sections, in order, each with its output. */
export function stepsOf(document: string, section?: string): Step[] {
  return fencedBlocks(document, 'console', section)
    .flatMap((block) => block.split(/^\$ /m).slice(1))
    .map((text) => {
      const [command = '', ...output] = text.trimEnd().split('\n')
      return { command, output: output.join('\n') }
    })
}

/** Whether the output is that of the document. */
export function isAsDocumented(printed: string, documented: string): boolean {
  const parts = documented.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[\\s\\S]*')}$`).test(printed)
}

/** A shell that runs commands as one terminal does: variables and background processes are kept. */
export class Terminal {
  readonly #folder: string
  readonly #env: Record<string, string>
  readonly #variables = new Map<string, string>()
  #background: Promise<string> | undefined

  constructor(folder: string, env: Record<string, string>) {
    this.#folder = folder
    this.#env = env
  }

  get variables(): ReadonlyMap<string, string> {
    return this.#variables
  }

  /** Runs a command and returns what it prints, without the newline at its end. `wait` returns the output of the background processes. */
  async run(command: string): Promise<string> {
    if (command === 'wait') return (await this.#background) ?? ''
    if (command.endsWith(' &')) {
      this.#background = this.#execute(command.slice(0, -2))
      return ''
    }
    const [, name] = /^([A-Z]+)=/.exec(command) ?? []
    if (name === undefined) return this.#execute(command)
    this.#variables.set(name, await this.#execute(`${command}; printf %s "$${name}"`))
    return ''
  }

  #execute(command: string): Promise<string> {
    const env = { ...this.#env, ...Object.fromEntries(this.#variables) }
    return new Promise((resolve) => {
      execFile('bash', ['-c', `exec 2>&1\n${command}`], { cwd: this.#folder, env }, (_error, stdout) =>
        resolve(stdout.replace(/\n$/, '')),
      )
    })
  }
}
