import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkAsync } from '../../helpers/properties.js'
import { removeFolder } from '../../helpers/temporary-folder.js'
import { type ModelUpload, startServerOf, TusModel } from '../../helpers/tus-model.js'

type Step = (model: TusModel, upload: ModelUpload) => Promise<void>

/** One step of a client of tus, on one of the uploads that it has. */
class TusCommand implements fc.AsyncCommand<object, TusModel> {
  readonly #words: string
  readonly #pick: number | null
  readonly #step: Step

  /** `pick`: which of the uploads, of however many there are; null for a step that needs none. */
  constructor(words: string, pick: number | null, step: Step) {
    this.#words = words
    this.#pick = pick
    this.#step = step
  }

  check(): boolean {
    return true
  }

  async run(_: object, model: TusModel): Promise<void> {
    const { uploads } = model
    if (this.#pick === null) await this.#step(model, uploads[0]!)
    else if (uploads.length > 0) await this.#step(model, uploads[this.#pick % uploads.length]!)
  }

  toString(): string {
    return this.#pick === null ? this.#words : `${this.#words} of upload ${this.#pick}`
  }
}

const pick = fc.nat(5)
const bytes = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 200_000 }))
const length = fc.option(fc.oneof(fc.nat(20), fc.nat(300_000)), { freq: 6 })
const offsetBy = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -5, max: 5 }) },
)
const checksum = fc.constantFrom('none', 'none', 'right', 'wrong')

const commands = fc.commands(
  [
    fc.tuple(length, fc.nat(20)).map(([length, first]) => {
      return new TusCommand(`create(${length}, ${first})`, null, (model) => model.create(length, first))
    }),
    fc.record({ bytes, offsetBy, checksum, pick }).map(({ pick, ...plan }) => {
      return new TusCommand(`patch(${JSON.stringify(plan)})`, pick, (model, upload) => model.patch(upload, plan))
    }),
    fc
      .record({ bytes, offsetBy: fc.constant(0), checksum: fc.constant('none' as const), pick })
      .map(({ pick, ...plan }) => {
        return new TusCommand(`patch(${plan.bytes})`, pick, (model, upload) => model.patch(upload, plan))
      }),
    fc.tuple(bytes, fc.nat(200_000), fc.boolean(), pick).map(([bytes, sent, arrives, pick]) => {
      return new TusCommand(`cut(${bytes}, ${sent}, ${arrives})`, pick, (model, upload) =>
        model.cut(upload, bytes, sent, arrives),
      )
    }),
    fc.tuple(bytes, pick).map(([bytes, pick]) => {
      return new TusCommand(`race(${bytes})`, pick, (model, upload) => model.race(upload, bytes))
    }),
    pick.map((pick) => new TusCommand('head', pick, (model, upload) => model.look(upload))),
    pick.map((pick) => new TusCommand('remove', pick, (model, upload) => model.remove(upload))),
    fc.constant(new TusCommand('restart', null, (model) => model.restart())),
  ],
  { maxCommands: 30, size: 'max' },
)

let folder: string
let server: Awaited<ReturnType<typeof startServerOf>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'filejobs-'))
  server = await startServerOf(folder)
})
afterAll(async () => {
  await server.close()
  await removeFolder(folder)
})

it('a tus upload has exactly the acknowledged bytes, through any cuts, repeats, errors and restarts', async () => {
  const token = await server.logIn('ann')
  const agrees = fc.asyncProperty(commands, async (steps) => {
    const model = new TusModel(server, token)
    try {
      await fc.asyncModelRun(() => ({ model: {}, real: model }), steps)
      await model.finish()
    } finally {
      server = model.server
    }
  })
  await checkAsync(agrees, 8)
  expect(server.errors).toEqual([])
})
