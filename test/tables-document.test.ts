import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTerminal, parseBlock } from './helpers/document-terminal.js'
import { fencedBlocks } from './helpers/fenced.js'

describe('the recipes for tables', () => {
  it('run as printed, on the files that they show', async () => {
    const terminal = await openTerminal()
    await terminal.run('filejobs signup ann')
    const blocks = fencedBlocks('docs/tables.md', 'console', 'Recipes')
    expect(blocks.length).toBeGreaterThan(2)
    for (const block of blocks) {
      for (const [, name, content] of block.matchAll(/^\$ cat (\S+)\n(.*?)(?=^\$ )/gms)) {
        writeFileSync(join(terminal.folder, name!), content!)
      }
      for (const { command, output } of parseBlock(block)) expect(await terminal.run(command), command).toEqual(output)
    }
  }, 180_000)
})
