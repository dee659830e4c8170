import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventually } from './helpers/eventually.js'
import { fencedBlocks } from './helpers/fenced.js'
import { cleanEnvironment, programFile } from './helpers/program.js'
import { startServe } from './helpers/serve.js'
import { temporaryFolder } from './helpers/temporary-folder.js'

const documents = ['README.md', 'CONTRIBUTING.md', ...markdownFiles('docs')]
const documentedUrl = 'http://127.0.0.1:8080'

describe('the README', () => {
  it('shows a session that runs as printed', async () => {
    const [serving, session, pipeline, stopped, stopping, ...more] = fencedBlocks('README.md', 'console').map(
      parseBlock,
    )
    expect(serving).toEqual([{ command: 'filejobs serve', output: [`Listening on ${documentedUrl}`] }])
    expect(more).toEqual([])
    const terminal = await openTerminal()
    for (const { command, output } of [...session!, ...pipeline!]) expect(await terminal.run(command)).toEqual(output)

    // Large enough to be still running when it is stopped, at the rate that is shown.
    truncateSync(join(terminal.folder, 'backup.iso'), 256 * 1024 ** 2)
    const uploading = terminal.run(stopped!.map((step) => step.command).join('\n'))
    await eventually('the upload runs', async () => /running/.test((await terminal.run('filejobs jobs')).join('\n')))
    for (const { command, output } of stopping!) expect(await terminal.run(command)).toEqual(output)
    expect(await uploading).toEqual(stopped!.flatMap((step) => step.output))
  }, 180_000)

  it.each(documents)('and other documents have valid links only: %s', (document) => {
    const here = new URL(`../${document}`, import.meta.url)
    const targets = [...readFileSync(here, 'utf8').matchAll(/\]\((?!\w+:)([^)#]+)/g)].map((match) => match[1]!)
    expect(targets.filter((target) => !existsSync(new URL(target, here)))).toEqual([])
  })
})

function markdownFiles(folder: string): string[] {
  const names = readdirSync(new URL(`../${folder}/`, import.meta.url))
  return names.filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`)
}

interface Step {
  command: string
  output: string[]
}

/** The commands of a block with their output, without prompts and bars, which only a terminal shows. */
function parseBlock(block: string): Step[] {
  return block.split(/^\$ /m).flatMap((text) => {
    const [command, ...output] = text.trimEnd().split('\n')
    return command ? [{ command, output: output.filter((line) => !/:$|\[=*-*\]/.test(line)).map(comparable) }] : []
  })
}

/** A folder with the files of the session, a server, and a shell that knows the command. */
async function openTerminal() {
  const folder = await temporaryFolder()
  writeFileSync(join(folder, 'filejobs'), `#!/bin/sh\nexec "${process.execPath}" "${programFile}" "$@"\n`, {
    mode: 0o755,
  })
  // No database runs here: what counts is that a command's output is uploaded.
  writeFileSync(join(folder, 'pg_dump'), '#!/bin/sh\necho "CREATE TABLE $1 ();"\n', { mode: 0o755 })
  writeFileSync(join(folder, 'backup.iso'), Buffer.alloc(1024 ** 2))
  mkdirSync(join(folder, 'photos'))
  writeFileSync(join(folder, 'photos/beach.jpg'), 'sand')
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
