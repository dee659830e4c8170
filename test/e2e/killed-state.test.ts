import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { openTransferState } from '../../dist/cli/transfers/transfer-state.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

/** Takes the state over, again and again; the first one saves it. */
const takeOver = `
  const { openTransferState } = await import(process.argv[1])
  const transferState = openTransferState(process.argv[2], ['a'])
  if (process.argv[3] === 'first') await transferState.save({ id: 'x' })
  for (let round = 0; ; round += 1) {
    if ((await transferState.recall())?.id !== 'x') process.exit(1)
    if (round === 20) process.stdout.write('begun')
  }`
const module = new URL('../../dist/cli/transfers/transfer-state.js', import.meta.url).href

it('the resume state of a transfer survives a kill at any moment of taking it over', async () => {
  const folder = await temporaryFolder()
  for (let round = 0; round < 30; round += 1) {
    const args = ['--input-type=module', '-e', takeOver, module, folder, ...(round === 0 ? ['first'] : [])]
    const child = spawn(process.execPath, args)
    child.stdout.once('data', () => {
      // At another step of its loop each time.
      const until = performance.now() + ((round * 0.083) % 2)
      while (performance.now() < until);
      child.kill('SIGKILL')
    })
    expect(await once(child, 'exit'), `round ${round}`).toEqual([null, 'SIGKILL'])
  }
  expect(await openTransferState(folder, ['a']).recall()).toEqual({ id: 'x' })
  await openTransferState(folder, ['a']).forget()
  // A month later they are removed.
  expect((await readdir(folder)).filter((name) => !name.endsWith('.new'))).toEqual([])
})
