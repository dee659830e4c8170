import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { compareBuilds, programOf } from './against.mjs'
import { hasProgram, openLab, settle } from './lab.mjs'
import { figureOf, line, median, words } from './lines.mjs'
import { rows as bucket } from './rows/bucket.mjs'
import { rows as cluster } from './rows/cluster.mjs'
import { rows as clusterEvents } from './rows/cluster-events.mjs'
import { rows as clusterLarge } from './rows/cluster-large.mjs'
import { rows as commandLine } from './rows/command-line.mjs'
import { rows as control } from './rows/control.mjs'
import { rows as dashboard } from './rows/dashboard.mjs'
import { rows as exports } from './rows/exports.mjs'
import { rows as folders } from './rows/folders.mjs'
import { rows as foldersAtOnce } from './rows/folders-at-once.mjs'
import { rows as listing } from './rows/listing.mjs'
import { rows as load } from './rows/load.mjs'
import { rows as queries } from './rows/queries.mjs'
import { rows as tables } from './rows/tables.mjs'
import { rows as tus } from './rows/tus.mjs'
import { rows as uploads } from './rows/uploads.mjs'
import { installPeers } from './servers.mjs'
import { findStoragePrograms } from './shared-storage.mjs'

/**
 * `npm run bench [-- NAME…]` runs the rows whose names start with one of the arguments (default: all rows) and prints a
 * Markdown table. With `--against FOLDER` it runs them on this checkout and on the built checkout in FOLDER, in turn, and
 * compares the two. BENCH_SIZE is the size of the files in MiB (1024), BENCH_RUNS the counted runs after one to warm up
 * (5; pairs against another build: 15), BENCH_DIR the folder on the disk to work in.
 *
 * A row compares (`pair`: two runs that give their seconds, taken in turn) or measures (`measure`: one figure in `unit`).
 * @typedef {{figure: number, detail: string, times?: number[]}} Measured `times`: what the figure is a percentile of
 * @typedef {object} Row
 * @property {string} name
 * @property {string} work what is done, for the table; the size stands in for `SIZE`, the rows of a table for `ROWS`
 * @property {number} [atMost] the figure to reach: a ratio of medians, or in `unit`
 * @property {number} [atLeast] the same, where more is better
 * @property {string[]} [needs] programs, `peers` for those of bench/peers, and `cluster` for PostgreSQL and versitygw
 * @property {(lab: any, sizeMiB: number) => Promise<{ours: () => Promise<number>, other: () => Promise<number>}>} [pair]
 * @property {(lab: any, sizeMiB: number, options?: {isPaired?: boolean}) => Promise<number | Measured>} [measure]
 * @property {string} [unit]
 * @property {number} [runs] counted runs, where five are not enough
 */

const sizeMiB = Number(process.env.BENCH_SIZE ?? 1024)
const { against, wanted } = readArguments()
const counted = Number(process.env.BENCH_RUNS ?? (against ? 15 : 5))
/** @type {Row[]} */
const all = [
  ...uploads,
  ...exports,
  ...bucket,
  ...cluster,
  ...clusterEvents,
  ...clusterLarge,
  ...commandLine,
  ...control,
  ...load,
  ...tus,
  ...tables,
  ...queries,
  ...listing,
  ...folders,
  ...foldersAtOnce,
  ...dashboard,
]
const selected = all.filter((row) => wanted.length === 0 || wanted.some((name) => row.name.startsWith(name)))
if (selected.length === 0) {
  console.error(`No such row. There are: ${all.map((row) => row.name).join(', ')}`)
  process.exit(2)
}

const open = new Set()
const openNext = (program) => {
  const lab = openLab(program)
  open.add(lab)
  return lab
}
const kept = new Set()
/** `keep`: ext4 without a journal creates files slowly for minutes after many were removed, so that is done in the end. */
const closeAll = async ({ keep = false } = {}) => {
  await Promise.all([...open].map((lab) => lab.close({ keep })))
  if (keep) for (const lab of open) kept.add(lab)
  open.clear()
}
const removeKept = () => {
  for (const lab of kept) lab.remove()
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await closeAll()
    removeKept()
    process.exit(signal === 'SIGINT' ? 130 : 143)
  })
}

const lines = []
const leftOut = []
for (const row of selected) {
  const missing = (row.needs ?? []).filter((need) => !isThere(need))
  if (missing.length > 0) {
    leftOut.push(`${row.name}: needs ${missing.join(', ')}`)
    continue
  }
  try {
    if (against) lines.push(await compareBuilds(row, { against, open: openNext, sizeMiB, pairs: counted }))
    else lines.push(row.pair ? await compare(row, openNext()) : await measure(row, openNext()))
    console.error(lines.at(-1))
  } catch (error) {
    leftOut.push(`${row.name}: ${error.message}`)
    console.error(error)
  }
  await closeAll({ keep: folders.includes(row) || foldersAtOnce.includes(row) })
}
removeKept()

console.log(`${describeMachine()}\n`)
console.log(`| row | work | ours | ${against ? 'other build' : 'other'} | figure | to reach | reached |`)
console.log('|---|---|---|---|---|---|---|')
for (const line of lines) console.log(line)
for (const line of leftOut) console.log(`\nLeft out: ${line}`)
process.exitCode = leftOut.length > 0 ? 1 : 0

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ options: { against: { type: 'string' } }, allowPositionals: true })
    return { against: programOf(values.against), wanted: positionals }
  } catch (error) {
    console.error(error.message)
    process.exit(2)
  }
}

function isThere(need) {
  if (need === 'peers') return installPeers()
  if (need === 'cluster') return findStoragePrograms() !== undefined
  return hasProgram(need)
}

/** Runs both sides in turn, the first one of a pair changing, and compares their medians. */
async function compare(row, lab) {
  const { ours, other } = await row.pair(lab, sizeMiB)
  const times = { ours: [], other: [] }
  const runs = row.runs ?? counted
  for (let round = 0; round <= runs; round += 1) {
    const sides = [
      ['ours', ours],
      ['other', other],
    ]
    for (const [side, run] of round % 2 === 0 ? sides : sides.reverse()) {
      settle()
      const seconds = await run()
      if (round > 0) times[side].push(seconds)
      console.error(`  ${row.name} ${round === 0 ? 'warm-up' : round} ${side} ${seconds.toFixed(3)} s`)
    }
  }
  const ratio = median(times.ours) / median(times.other)
  const cells = [words(times.ours), words(times.other), `${ratio.toFixed(2)} ×`, `≤ ${row.atMost} ×`]
  return line(row, sizeMiB, cells, ratio <= row.atMost)
}

async function measure(row, lab) {
  const { figure, detail } = figureOf(await row.measure(lab, sizeMiB))
  const digits = figure < 10 ? 2 : 0
  const { atMost = Number.POSITIVE_INFINITY, atLeast = 0, unit } = row
  const toReach = row.atLeast === undefined ? `≤ ${atMost} ${unit}` : `≥ ${atLeast} ${unit}`
  const cells = [detail, '', `${figure.toFixed(digits)} ${unit}`, toReach]
  return line(row, sizeMiB, cells, figure <= atMost && figure >= atLeast)
}

function describeMachine() {
  const processors = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB of memory`
  const machine = [`${processors.length} × ${processors[0]?.model.trim()}`, memory, `${process.platform} ${release()}`]
  return `${machine.join(', ')}, Node ${process.version}. Medians (least) of ${counted} runs after one to warm up.`
}
