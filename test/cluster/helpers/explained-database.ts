import { onTestFinished } from 'vitest'
import type { TestDatabase } from './database.js'
import { startDatabaseProxy } from './database-proxy.js'

/** The plan of a statement that a server has run. */
export interface ExplainedStatement {
  query: string
  plan: PlanNode
}

export interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  Plans?: PlanNode[]
}

export interface ExplainedDatabase {
  /** A server that uses it tells the plan of each of its statements. */
  url: string
  /** Of all statements so far. */
  statements(): ExplainedStatement[]
}

/**
 * A way to the database on which the module auto_explain reports what PostgreSQL has executed. `plans`: those for the values of
 * the parameters, or those for any values, which a statement may get that is run often.
 */
export async function explainDatabase(
  { url, schema, connect }: TestDatabase,
  plans: 'force_custom_plan' | 'force_generic_plan',
): Promise<ExplainedDatabase> {
  const sql = connect(1)
  const role = `${schema}_${plans}`
  await sql`create role ${sql(role)} superuser login`
  onTestFinished(async () => {
    await sql`drop owned by ${sql(role)} cascade`
    await sql`drop role ${sql(role)}`
  })
  const settings = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_format': 'json',
    client_min_messages: 'log',
    plan_cache_mode: plans,
  }
  for (const [name, value] of Object.entries(settings)) await sql.unsafe(`alter role ${role} set ${name} = '${value}'`)
  const proxy = await startDatabaseProxy(url)
  const own = new URL(proxy.url)
  own.username = role
  return {
    url: own.href,
    statements: () => proxy.notices.flatMap((notice) => statementOf(notice) ?? []),
  }
}

/** `duration: 0.021 ms  plan:`, and an object. */
function statementOf(notice: string): ExplainedStatement | undefined {
  const start = notice.indexOf('{')
  if (!notice.startsWith('duration: ') || start < 0) return undefined
  const { 'Query Text': query, Plan: plan } = JSON.parse(notice.slice(start))
  return { query, plan }
}
