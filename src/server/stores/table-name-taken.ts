import { Problem } from '../../protocol/problems.js'

export function tableNameTaken(table: string): Problem {
  return new Problem('name-taken', `There is a table "${table}" already.`, { table })
}
