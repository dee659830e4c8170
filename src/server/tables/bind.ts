import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api'

/** Prepares a statement with the values of its parameters. Others are left out. */
export async function bind(
  connection: DuckDBConnection,
  sql: string,
  values: Readonly<Record<string, string>>,
): Promise<DuckDBPreparedStatement> {
  const prepared = await connection.prepare(sql)
  // The engine counts them from 1.
  for (let at = 1; at <= prepared.parameterCount; at++) prepared.bindVarchar(at, values[prepared.parameterName(at)]!)
  return prepared
}
