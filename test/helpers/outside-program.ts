import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { within } from './eventually.js'

export interface OutsideProgram {
  readonly child: ChildProcess
  /** Resolves once its output on stdout and stderr together matches. */
  says(pattern: RegExp, limitMs?: number): Promise<RegExpMatchArray>
  /** Resolves with its exit code and its output. */
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

/** Starts a program that is not ours. It is ended with the test at the latest. */
export function startOutside(program: string, args: readonly string[], options: { cwd?: string } = {}): OutsideProgram {
  const child = spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => {})
  return {
    child,
    says(pattern, limitMs) {
      const said = new Promise<RegExpMatchArray>((resolve) => {
        const streams = [child.stdout, child.stderr]
        const look = () => {
          const match = `${stdout}${stderr}`.match(pattern)
          if (!match) return
          for (const stream of streams) stream.off('data', look)
          resolve(match)
        }
        for (const stream of streams) stream.on('data', look)
        look()
      })
      return within(`${pattern} said by ${program}`, said, limitMs)
    },
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr })),
  }
}
