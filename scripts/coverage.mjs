import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { mergeProcessCovs } from '@bcoe/v8-coverage'
import { convert } from 'ast-v8-to-istanbul'
import coverageLibrary from 'istanbul-lib-coverage'
import { parseAst } from 'vite'

/**
 * node scripts/coverage.mjs FOLDER [--raise]: what processes that ran with NODE_V8_COVERAGE=FOLDER have covered of src/, the dashboard
 * aside. Fails below the floor in coverage-floor.json; `--raise` lifts the floor to what was found.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const floorFile = join(root, 'coverage-floor.json')
const [folder, option] = process.argv.slice(2)

const maps = compileMaps()
try {
  const found = (await coverageOf(mergeAll(folder))).toJSON()
  const covered = { lines: floorOf(found.lines.pct), branches: floorOf(found.branches.pct) }
  const floor = JSON.parse(readFileSync(floorFile, 'utf8'))
  console.log(
    `Coverage of src/: lines ${covered.lines} % (floor ${floor.lines}), branches ${covered.branches} % (floor ${floor.branches})`,
  )
  if (option === '--raise') {
    const raised = { lines: Math.max(floor.lines, covered.lines), branches: Math.max(floor.branches, covered.branches) }
    writeFileSync(floorFile, `${JSON.stringify(raised, null, 2)}\n`)
  } else if (covered.lines < floor.lines || covered.branches < floor.branches) {
    console.error('The coverage is below the floor: add tests for what you added.')
    process.exitCode = 1
  }
} finally {
  rmSync(maps, { recursive: true })
}

/** The build has no source maps, so that no process of the program reads any; the compiler makes the same files with maps. */
function compileMaps() {
  const output = mkdtempSync(join(tmpdir(), 'filejobs-maps-'))
  const options = [
    '--outDir',
    output,
    '--sourceMap',
    '--declaration',
    'false',
    '--incremental',
    'false',
    '--tsBuildInfoFile',
    'null',
  ]
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [compiler, '-p', root, ...options], { stdio: 'inherit' })
  if (status !== 0) throw new Error('The sources cannot be compiled.')
  return output
}

/** Merges a few reports at a time: all of them together may be larger than the memory. */
function mergeAll(reports) {
  let merged = []
  for (const name of readdirSync(reports)) {
    merged.push(readReport(join(reports, name)))
    if (merged.length === 32) merged = [mergeProcessCovs(merged)]
  }
  return mergeProcessCovs(merged)
}

function readReport(path) {
  const built = pathToFileURL(join(root, 'dist/')).href
  const isOurs = ({ url }) => url.startsWith(built) && !url.startsWith(`${built}dashboard/`)
  return { result: parse(path).filter(isOurs) }
}

/** A process that was killed while it wrote leaves half a report. */
function parse(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).result
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}

async function coverageOf({ result }) {
  const byUrl = new Map(result.map(({ url, functions }) => [url, functions]))
  const map = coverageLibrary.createCoverageMap()
  for (const name of readdirSync(maps, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'))) {
    const code = readFileSync(join(maps, name), 'utf8')
    const sourceMap = JSON.parse(readFileSync(join(maps, `${name}.map`), 'utf8'))
    const url = pathToFileURL(join(root, 'dist', name)).href
    const functions = byUrl.get(url) ?? [notLoaded(code.length)]
    map.merge(await convert({ code, sourceMap, coverage: { url, functions }, ast: parseAst(code) }))
  }
  return map.getCoverageSummary()
}

function notLoaded(endOffset) {
  return { functionName: '', isBlockCoverage: true, ranges: [{ startOffset: 0, endOffset, count: 0 }] }
}

function floorOf(percent) {
  return Math.floor(percent * 10) / 10
}
