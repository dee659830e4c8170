import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { settle } from './lab.mjs'
import { figureOf, line, median, percentile, spread, words } from './lines.mjs'

/** The program of a built checkout; undefined without a folder. Throws where it is not built. */
export function programOf(folder) {
  if (folder === undefined) return undefined
  const program = join(resolve(folder), 'bin/filejobs.js')
  if (!existsSync(program) || !existsSync(join(resolve(folder), 'dist/cli/main.js'))) {
    throw new Error(`There is no built filejobs in ${folder}: run "npm ci && npm run build" there.`)
  }
  return program
}

/** The ratio that counts as "no slower". */
const atMostRatio = 1.05

/**
 * Runs a row on this build and on another one, `pairs` times in turn after one pair to warm up, the first of a pair
 * changing. The figure is the median of the ratios of the pairs, or, where a row measures many times, the ratio of the p99 of all
 * of them; above 1, this build is slower (or needs more).
 */
export async function compareBuilds(row, { against, open, sizeMiB, pairs }) {
  const sides = { ours: await sideOf(row, undefined, { open, sizeMiB }) }
  sides.other = await sideOf(row, against, { open, sizeMiB })
  const figures = { ours: [], other: [] }
  const times = { ours: [], other: [] }
  for (let round = 0; round <= pairs; round += 1) {
    for (const side of round % 2 === 0 ? ['ours', 'other'] : ['other', 'ours']) {
      settle()
      const measured = figureOf(await sides[side]())
      const { figure, detail } = measured
      if (round > 0) {
        figures[side].push(figure)
        times[side].push(...(measured.times ?? []))
      }
      const name = round === 0 ? 'warm-up' : round
      console.error(`  ${row.name} ${name} ${side} ${figure.toFixed(3)} ${row.unit ?? 's'} ${detail}`)
    }
  }
  const ratios = figures.ours.map((figure, index) => ratioOf(row, figure, figures.other[index]))
  const isPooled = times.ours.length > 0
  const ratio = isPooled ? percentile(times.ours, 99) / percentile(times.other, 99) : median(ratios)
  const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`
  const digits = row.unit ? 1 : 3
  return line(
    { ...row, work: row.work.replace(/, against .*/, '') },
    sizeMiB,
    [
      isPooled ? `${spread(times.ours)} ${row.unit}` : words(figures.ours, row.unit, digits),
      isPooled ? `${spread(times.other)} ${row.unit}` : words(figures.other, row.unit, digits),
      `${ratio.toFixed(2)} × (${range}, ${pairs} pairs)`,
      `≤ ${atMostRatio} ×`,
    ],
    ratio <= atMostRatio,
  )
}

/** What runs one side once. A comparison keeps its server over all runs; a measurement starts anew for each. */
async function sideOf(row, program, { open, sizeMiB }) {
  if (row.pair) return (await row.pair(open(program), sizeMiB)).ours
  return async () => {
    const lab = open(program)
    try {
      return await row.measure(lab, sizeMiB, { isPaired: true })
    } finally {
      await lab.close()
    }
  }
}

function ratioOf(row, ours, other) {
  // Where both are nothing, as the cost of idle listeners may be, neither is slower.
  if (ours === other) return 1
  return row.atLeast === undefined ? ours / other : other / ours
}
