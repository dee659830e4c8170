/** One line of the table: the row's name and work, then `cells`, then whether the figure was reached. */
export function line(row, sizeMiB, cells, reached) {
  const size = sizeMiB % 1024 === 0 ? `${sizeMiB / 1024} GiB` : `${sizeMiB} MiB`
  const tableRows = Math.round((5_000_000 * sizeMiB) / 1024).toLocaleString('en')
  const work = row.work.replace('SIZE', size).replace('ROWS', tableRows)
  return `| ${[`\`${row.name}\``, work, ...cells, reached ? 'yes' : '**no**'].join(' | ')} |`
}

/** Median and least of figures in `unit` (default: seconds). */
export function words(figures, unit = 's', digits = 3) {
  return `${median(figures).toFixed(digits)} ${unit} (${Math.min(...figures).toFixed(digits)})`
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** What a row measured: a figure, or one with a detail in words. */
export function figureOf(measured) {
  return typeof measured === 'number' ? { figure: measured, detail: '' } : measured
}

/** The value below which `percent` of 100 lie. */
export function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)]
}

/** Median, ninth tenth and last hundredth. */
export function spread(times) {
  return [50, 90, 99].map((percent) => `p${percent} ${percentile(times, percent).toFixed(1)}`).join(', ')
}
