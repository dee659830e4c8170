import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const longest = 300
const highestMedian = 65

/** No file of src/ has more than 300 lines, and half of them have 65 at most: one idea a file. */
export function check(root) {
  const sizes = sourceFiles(root).map((path) => ({ path, lines: lineCount(join(root, path)) }))
  const tooLong = sizes.filter(({ lines }) => lines > longest)
  const findings = tooLong.map(
    ({ path, lines }) => `${path}:1 A file has at most ${longest} lines (${lines}): split it.`,
  )
  const median = sizes.map(({ lines }) => lines).sort((a, b) => a - b)[Math.floor(sizes.length / 2)]
  if (median > highestMedian) findings.push(`src:1 The median file has at most ${highestMedian} lines (${median}).`)
  return findings
}

function sourceFiles(root) {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join('src', name))
}

function lineCount(path) {
  return readFileSync(path, 'utf8').split('\n').length - 1
}
