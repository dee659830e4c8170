import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { describe, expect, inject, it } from 'vitest'
import { freePort } from '../helpers/ports.js'
import { openClient } from '../helpers/program.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { testBucket, testCredentials } from './helpers/bucket-server.js'
import { emptyDatabase } from './helpers/database.js'
import { startDatabaseProxy } from './helpers/database-proxy.js'
import { bucketOption, databaseOption, hasCluster, startCluster } from './helpers/servers.js'

describe.skipIf(!hasCluster)('a server with --database and --bucket', () => {
  it('is refused with a reason while the database is away, or unable to deliver messages', async () => {
    const away = `postgres://filejobs@127.0.0.1:${await freePort()}/postgres`
    expect(await serve({ FILEJOBS_DATABASE: away })).toMatch(
      /The database of --database cannot be used: .*ECONNREFUSED/,
    )
    const proxy = await startDatabaseProxy(inject('database')!)
    proxy.deliversNotices = false
    expect(await serve({ FILEJOBS_DATABASE: proxy.url })).toContain('Is it PgBouncer in transaction mode?')
  })

  it('is refused with a reason if the bucket is missing, the keys are wrong, or the address is none', async () => {
    const { origin } = inject('bucket')!
    const missing = `s3://no-such-bucket?endpoint=${origin}`
    expect(await serve({ FILEJOBS_BUCKET: missing })).toContain('cannot be used: it does not exist: create it first.')
    expect(await serve({ AWS_SECRET_ACCESS_KEY: 'wrong' })).toContain('is not the secret of AWS_ACCESS_KEY_ID')
    expect(await serve({ AWS_SECRET_ACCESS_KEY: '' })).toContain('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong')
    expect(await serve({ FILEJOBS_BUCKET: `s3://${testBucket}?endpont=${origin}` })).toContain('no parameter "endpont"')
  })

  it('does not take the data folder of a server without them, or the scratch folder of another one', async () => {
    const data = await temporaryFolder()
    await writeFile(`${data}/accounts.json`, '[]')
    expect(await serve({ FILEJOBS_DATA: data })).toContain('give another folder for their scratch files')
    const { servers } = await startCluster(1)
    expect(await serve({ FILEJOBS_DATA: servers[0]!.dataFolder })).toContain(
      'Another filejobs server works on this data folder',
    )
  })

  it('empties its scratch folder', async () => {
    const data = await temporaryFolder()
    await mkdir(`${data}/scratch`)
    await writeFile(`${data}/scratch/left`, 'from before')
    const { add } = await startCluster(0)
    const { dataFolder } = await add({ dataFolder: data })
    expect(dataFolder).toBe(data)
    expect(await readdir(`${data}/scratch`)).not.toContain('left')
  })
})

/** What a server says that does not start. */
async function serve(env: Record<string, string>): Promise<string> {
  const client = await openClient()
  const database = await emptyDatabase()
  const { code, stderr } = await client.run(['serve', '--port', '0'], {
    env: {
      FILEJOBS_DATA: `${client.home}/data`,
      FILEJOBS_DATABASE: databaseOption(database),
      FILEJOBS_BUCKET: bucketOption('refused'),
      AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
      ...env,
    },
  })
  expect(code).not.toBe(0)
  return stderr
}
