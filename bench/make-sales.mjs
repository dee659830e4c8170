#!/usr/bin/env node
// Writes a sales CSV of N rows to stdout, in the shape of the public "Sales Records" samples:
// 14 columns, dates as month/day/year without leading zeros. Usage: make-sales.mjs 100000 > sales.csv
const rows = Number(process.argv[2] ?? 100000)
const regions = [
  'Europe',
  'Asia',
  'Sub-Saharan Africa',
  'Middle East and North Africa',
  'Australia and Oceania',
  'North America',
  'Central America and the Caribbean',
]
/** @type {[name: string, price: number, cost: number][]} */
const items = [
  ['Snacks', 152.58, 97.44],
  ['Cosmetics', 437.2, 263.33],
  ['Fruits', 9.33, 6.92],
  ['Household', 668.27, 502.54],
  ['Clothes', 109.28, 35.84],
  ['Cereal', 205.7, 117.11],
  ['Meat', 421.89, 364.69],
]
let seed = 42
const random = (n) => {
  seed = (seed * 1103515245 + 12345) & 0x7fffffff
  return seed % n
}
let out =
  'Region,Country,Item Type,Sales Channel,Order Priority,Order Date,Order ID,Ship Date,Units Sold,Unit Price,Unit Cost,Total Revenue,Total Cost,Total Profit\n'
for (let row = 0; row < rows; row++) {
  const [item, price, cost] = items[random(items.length)]
  const units = 1 + random(9999)
  const ordered = new Date(Date.UTC(2010, 0, 1 + random(2770)))
  const shipped = new Date(ordered.getTime() + random(50) * 86400000)
  const day = (d) => `${d.getUTCMonth() + 1}/${d.getUTCDate()}/${d.getUTCFullYear()}`
  const money = (x) => x.toFixed(2)
  out += `${[
    regions[random(7)],
    row % 97 === 0 ? `"Bonaire, Saba ${row % 190}"` : `Country ${row % 190}`,
    item,
    random(2) ? 'Online' : 'Offline',
    'LMHC'[random(4)],
    day(ordered),
    100000000 + row,
    day(shipped),
    units,
    money(price),
    money(cost),
    money(units * price),
    money(units * cost),
    money(units * (price - cost)),
  ].join(',')}\n`
  if (out.length > 1 << 20) {
    if (!process.stdout.write(out)) await new Promise((done) => process.stdout.once('drain', done))
    out = ''
  }
}
process.stdout.write(out)
