import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cleanEnvironment, programFile } from './program.js'
import { startServe } from './serve.js'
import { temporaryFolder } from './temporary-folder.js'

/** Where the server of a document listens. */
export const documentedUrl = 'http://127.0.0.1:8080'

/** A command of a document, and what it prints. */
export interface Step {
  command: string
  output: string[]
}

/** The commands of a block with their output, without prompts and bars, which only a terminal shows. */
export function parseBlock(block: string): Step[] {
  return block.split(/^\$ /m).flatMap((text) => {
    const [command, ...output] = text.trimEnd().split('\n')
    const isPrinted = (line: string) => line !== '' && !/:$|\[=*-*\]/.test(line)
    return command ? [{ command, output: output.filter(isPrinted).map(comparable) }] : []
  })
}

/** An empty folder, a server, and a shell that knows the command. */
export async function openTerminal() {
  const folder = await temporaryFolder()
  writeFileSync(join(folder, 'filejobs'), `#!/bin/sh\nexec "${process.execPath}" "${programFile}" "$@"\n`, {
    mode: 0o755,
  })
  const server = await startServe()
  const env = {
    ...cleanEnvironment(folder),
    PATH: `${folder}:${process.env.PATH}`,
    FILEJOBS_SERVER: server.url,
    FILEJOBS_PASSWORD: 'correct horse',
  }
  return {
    folder,
    run(command: string): Promise<string[]> {
      return new Promise((resolve) => {
        execFile('bash', ['-c', `exec 2>&1\n${command}`], { cwd: folder, env }, (_error, stdout) => {
          const lines = stdout.replaceAll(server.url, documentedUrl).trimEnd().split('\n')
          resolve(lines.filter((line) => line !== '').map(comparable))
        })
      })
    },
  }
}

/** Sizes and times differ from run to run; columns are as wide as they make them. */
function comparable(line: string): string {
  return line
    .replace(/\d+(\.\d+)? [KMG]?i?B\b/g, 'SIZE')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'TIME')
    .replace(/ +/g, ' ')
    .trim()
}
