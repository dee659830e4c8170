import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { documentedUrl, openTerminal, parseBlock } from './helpers/document-terminal.js'
import { eventually } from './helpers/eventually.js'
import { fencedBlocks } from './helpers/fenced.js'

const documents = ['README.md', 'CONTRIBUTING.md', ...markdownFiles('docs')]

describe('the README', () => {
  it('shows a session that runs as printed', async () => {
    const [serving, session, pipeline, stopped, stopping, ...more] = fencedBlocks('README.md', 'console').map(
      parseBlock,
    )
    expect(serving).toEqual([{ command: 'filejobs serve', output: [`Listening on ${documentedUrl}`] }])
    expect(more).toEqual([])
    const terminal = await openTerminal()
    prepare(terminal.folder)
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

function prepare(folder: string): void {
  // No database runs here: what counts is that a command's output is uploaded.
  writeFileSync(join(folder, 'pg_dump'), '#!/bin/sh\necho "CREATE TABLE $1 ();"\n', { mode: 0o755 })
  writeFileSync(join(folder, 'backup.iso'), Buffer.alloc(1024 ** 2))
  mkdirSync(join(folder, 'photos'))
  writeFileSync(join(folder, 'photos/beach.jpg'), 'sand')
}
