import { channel } from 'node:diagnostics_channel'
import { afterAll, expect } from 'vitest'

/** A quick test starts no process, which would take longer than most of them take: see projects.ts. */
const started: unknown[] = []
const note = (message: unknown) => void started.push((message as { process: { spawnargs?: string[] } }).process)

channel('child_process').subscribe(note)
afterAll(() => {
  channel('child_process').unsubscribe(note)
  const commands = started.map((child) => (child as { spawnargs?: string[] }).spawnargs?.join(' '))
  expect(commands, 'a file that starts processes belongs to another project: see test/run/projects.ts').toEqual([])
})
