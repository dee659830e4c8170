const header =
  'Region,Country,Item Type,Sales Channel,Order Priority,Order Date,Order ID,Ship Date,Units Sold,Unit Price,Unit Cost,Total Revenue,Total Cost,Total Profit'

/** A CSV in the shape of the public "Sales Records" samples; the order of row N, counted from 0, is N days after 2015-07-01. */
export function salesCsv(rows: number): string {
  const lines = Array.from({ length: rows }, (_, row) => {
    const ordered = monthFirst(Date.UTC(2015, 6, 1 + row))
    const shipped = monthFirst(Date.UTC(2015, 6, 8 + row))
    const country = row % 7 === 0 ? '"Bonaire, Saba"' : 'Mali'
    return `Africa,${country},Snacks,Online,L,${ordered},${700000 + row},${shipped},10,152.58,97.44,1525.80,974.40,551.40`
  })
  return `${[header, ...lines].join('\n')}\n`
}

function monthFirst(time: number): string {
  const date = new Date(time)
  return `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()}`
}
