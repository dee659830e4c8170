import { readdir, readFile } from 'node:fs/promises'
import { brotliCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'

const built = 'dist/dashboard'

describe('the scripts that the dashboard loads first', () => {
  it('have 60 KB at most when compressed, and are fewer than all', async () => {
    const html = await readFile(`${built}/index.html`, 'utf8')
    const first = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((match) => match[1]!)
    const sizes = await Promise.all(
      first.map(async (name) => brotliCompressSync(await readFile(`${built}/${name}`)).length),
    )
    expect(first.length).toBeGreaterThan(1)
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(60_000)
    const all = (await readdir(`${built}/assets`)).filter((name) => name.endsWith('.js'))
    expect(all.length).toBeGreaterThan(first.length)
  })
})
