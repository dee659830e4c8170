import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Filejobs } from '../dist/client/filejobs.js'
import { shareConsumer } from './helpers/consumer.js'
import { isAsDocumented } from './helpers/document-session.js'
import { documentedUrl } from './helpers/document-terminal.js'
import { fencedBlocks, replaced } from './helpers/fenced.js'
import { startServe } from './helpers/serve.js'

const consumer = shareConsumer()
const examples = fencedBlocks('docs/library.md', 'js')
const outputs = fencedBlocks('docs/library.md', 'text')

describe('docs/library.md', () => {
  it('has the output of each example', () => {
    expect(examples.length).toBeGreaterThan(5)
    expect(outputs).toHaveLength(examples.length)
  })

  it('has examples that print what it says', async () => {
    const server = await startServe()
    await new Filejobs({ server: server.url }).signup({ username: 'ann', password: 'correct horse' })
    writeFileSync(join(consumer.folder, 'backup.iso'), Buffer.alloc(3 * 1024 ** 2))
    for (const [index, example] of examples.entries()) {
      const isClient = example.includes(documentedUrl)
      consumer.write('example.js', isClient ? replaced(example, { [documentedUrl]: server.url }) : example)
      const { stdout, stderr } = await consumer.node('example.js')
      expect(stderr).toBe('')
      if (!isAsDocumented(stdout, outputs[index]!)) expect(stdout).toBe(outputs[index])
    }
  }, 240_000)
})
