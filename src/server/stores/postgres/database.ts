import postgres from 'postgres'

type Types = { bigint: number; texts: string[]; bigints: number[] }

/** A pool of connections. A query runs only once it is awaited. */
export type Database = postgres.Sql<Types>
export type Transaction = postgres.TransactionSql<Types>

export interface DatabaseAddress {
  /** `postgres://…` */
  url: string
  /** The schema that holds all tables; default: the first one of the server's search path. */
  schema?: string
}

/** Connects lazily, and again after each failure. `close` by `end()`. */
export function connectDatabase({ url, schema }: DatabaseAddress, maxConnections = 5): Database {
  return postgres(url, {
    max: maxConnections,
    // The default grows to 20 s, in which a server that is back gets no heartbeat.
    backoff: () => 0.25,
    connect_timeout: 5,
    onnotice: () => {},
    connection: { application_name: 'filejobs', ...(schema ? { search_path: schema } : {}) },
    types: {
      bigint: { to: 20, from: [20], parse: safeNumber, serialize: String },
      // Only sent, never received.
      texts: { to: 1009, from: [], parse: JSON.parse, serialize: arrayLiteral },
      bigints: { to: 1016, from: [], parse: JSON.parse, serialize: arrayLiteral },
    },
    // Otherwise each new connection begins with a query for the types of arrays, whose failure is an unhandled rejection.
    fetch_types: false,
    // Columns only: `postgres.camel` would also rename the members of JSON values.
    transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
  })
}

/** By default, a bigint is a string, which arithmetic and comparisons take for something else. */
function safeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new RangeError(`${text} is no safe integer.`)
  return number
}

function arrayLiteral(values: readonly (string | number | null)[]): string {
  const elements = values.map((value) => (value === null ? 'null' : `"${String(value).replace(/["\\]/g, '\\$&')}"`))
  return `{${elements.join(',')}}`
}
