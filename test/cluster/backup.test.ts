import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { connectDatabase } from '../../dist/server/stores/postgres/database.js'
import { Caller } from '../helpers/calls.js'
import { openClient } from '../helpers/program.js'
import { hasProgram, run } from '../helpers/system-programs.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { testBucket, testCredentials } from './helpers/bucket-server.js'
import { findPostgres } from './helpers/postgres-server.js'
import { type ClusterPlace, emptyPlace, hasCluster, placeVariables, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster || !hasProgram('rclone'))('a backup as in docs/cluster-operations.md', () => {
  it('taken while servers run has every file of the moment of the dump', async () => {
    const place = await emptyPlace()
    const [ann] = await (await startCluster(1, { place })).logIn('ann')
    const folder = await temporaryFolder()
    const [objects, dump] = [join(folder, 'objects'), join(folder, 'database')]
    await ann!.put('before', 'of the first copy')
    await rclone('copy', `s3:${testBucket}/${place.prefix}`, objects)
    await ann!.put('between', 'of the second copy')
    await succeeds('pg_dump', [
      '--format=custom',
      `--file=${dump}`,
      `--schema=${place.database.schema}`,
      place.database.url,
    ])
    await ann!.put('after', 'of no row')
    await ann!.put('before', 'of a later version')
    await rclone('copy', `s3:${testBucket}/${place.prefix}`, objects)

    const url = await createDatabase()
    const restored: ClusterPlace = { database: { ...place.database, url }, prefix: `${place.prefix}-restored` }
    await succeeds('pg_restore', ['--no-owner', `--dbname=${url}`, dump])
    await rclone('copy', objects, `s3:${testBucket}/${restored.prefix}`)
    const client = await openClient()
    const doctor = await client.run(['doctor', '--verify', '--json'], { env: placeVariables(restored) })
    const report = JSON.parse(doctor.stdout)
    expect(report).toMatchObject({ files: 2, intact: 2, damaged: [] })
    expect(report.orphans.map(({ why }: { why: string }) => why)).toEqual(['no row names it', 'no row names it'])
    const { servers } = await startCluster(1, { place: restored })
    const caller = new Caller(servers[0]!, ann!.token)
    expect(await caller.names()).toEqual(['before', 'between'])
    expect(String((await caller.call('/files/before')).body)).toBe('of the first copy')
  })
})

async function rclone(...args: string[]): Promise<void> {
  await succeeds('env', [
    // This old client of S3 cannot use one.
    '--unset=AWS_CA_BUNDLE',
    'RCLONE_CONFIG=/dev/null',
    'RCLONE_CONFIG_S3_TYPE=s3',
    'RCLONE_CONFIG_S3_PROVIDER=Other',
    `RCLONE_CONFIG_S3_ENDPOINT=${inject('bucket')!.origin}`,
    `RCLONE_CONFIG_S3_ACCESS_KEY_ID=${testCredentials.accessKeyId}`,
    `RCLONE_CONFIG_S3_SECRET_ACCESS_KEY=${testCredentials.secretAccessKey}`,
    'rclone',
    ...args,
  ])
}

async function succeeds(program: string, args: string[]): Promise<void> {
  const path = program.startsWith('pg_') ? join(findPostgres()!, program) : program
  const { code, stdout, stderr } = await run(path, args)
  expect([code, stdout + stderr]).toEqual([0, expect.anything()])
}

/** Another database of the same PostgreSQL server. */
async function createDatabase(): Promise<string> {
  const url = new URL(inject('database')!)
  const name = `test_${randomBytes(8).toString('hex')}`
  const sql = connectDatabase({ url: url.href }, 1)
  await sql`create database ${sql(name)}`
  onTestFinished(async () => {
    await sql`drop database ${sql(name)} with (force)`
    await sql.end({ timeout: 1 })
  })
  url.pathname = `/${name}`
  return url.href
}
