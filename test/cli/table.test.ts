import { describe, expect, it } from 'vitest'
import { formatTable } from '../../dist/cli/table.js'

describe('a printed table', () => {
  it('has aligned columns without trailing spaces', () => {
    const columns = [
      { title: 'NAME', cell: (row: { name: string; size: number }) => row.name },
      { title: 'SIZE', align: 'right' as const, cell: (row: { size: number }) => String(row.size) },
      { title: 'NOTE', cell: () => '' },
    ]
    const rows = [
      { name: 'a', size: 5 },
      { name: 'longer\u001b', size: 12345 },
    ]
    expect(formatTable(columns, rows).split('\n')).toEqual([
      'NAME         SIZE  NOTE',
      'a               5',
      'longer\\x1b  12345',
    ])
  })
})
