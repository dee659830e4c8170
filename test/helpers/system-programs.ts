import { execFile, spawnSync } from 'node:child_process'

/** Whether a program that only some tests need is on this machine. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
}

export interface ProgramResult {
  code: number
  stdout: string
  stderr: string
}

/** Runs a program to its end; a failure is a result, too. Its locale has UTF-8, without which some change names. */
export function run(command: string, args: readonly string[]): Promise<ProgramResult> {
  const env = { ...process.env, LC_ALL: 'C.UTF-8' }
  return new Promise((resolve) => {
    execFile(command, args, { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 128
      resolve({ code, stdout, stderr })
    })
  })
}
