import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type { OptionName } from '../../dist/protocol/options/server-options.js'
import { Problem } from '../../dist/protocol/problems.js'
import { parseConfig } from '../../dist/server/config.js'
import { embeddedConfig } from '../../dist/server/embedded-config.js'
import type { ServerOptions } from '../../dist/server/embedded-options.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('the configuration of serve', () => {
  it('has the documented defaults', () => {
    expect(parseConfig({}, {})).toEqual({
      host: '127.0.0.1',
      port: 8080,
      dataFolder: './filejobs-data',
      cluster: null,
      usersFile: null,
      signupRoles: ['user', 'ops', 'client'],
      queryAllowed: true,
      sessionTtlMs: 365 * 86_400_000,
      bcryptCost: 12,
      trustProxy: 0,
      publicUrl: null,
      corsOrigin: null,
      jobsPerAccount: 1,
      maxFileSize: null,
      quota: null,
      rateLimitPerAccount: null,
      idleTimeoutMs: 600_000,
      maxPauseMs: 3_600_000,
      keepPartialMs: 86_400_000,
      shutdownGraceMs: 10_000,
      tableCacheBytes: 10 * 1024 ** 3,
      scratchBytes: 10 * 1024 ** 3,
      importMemoryBytes: 512 * 1024 ** 2,
      importThreads: 1,
      importMaxBytes: 10 * 1024 ** 3,
      importTimeoutMs: 3_600_000,
      tls: null,
      redirectHttpPort: null,
      logLevel: 'info',
      logFormat: null,
      metricsToken: null,
      adminPassword: null,
      jwtSecret: null,
    })
  })

  it('reads every flag', () => {
    const config = parseConfig({
      ...{ host: '0.0.0.0', port: '0', data: '/d', users: 'u.json', signup: 'open:client,user', query: 'on' },
      ...{ sessionTtl: '30d', bcryptCost: '4', trustProxy: '1', publicUrl: 'https://Files.example.org/' },
      ...{ corsOrigin: 'https://a.example, http://b.example:81/', jobsPerAccount: '3', maxFileSize: '5M' },
      ...{ quota: '1G', rateLimitPerAccount: 'none', idleTimeout: '500ms', maxPause: '2h', keepPartial: '7d' },
      ...{ shutdownGrace: '0s', tableCache: '1M', importMemory: '1G', importThreads: '2', importTimeout: '5m' },
      ...{ importMaxSize: '2G', scratchSize: '2M' },
      ...{ tlsCert: 'c.pem', tlsKey: 'k.pem', redirectHttp: '8081', logLevel: 'warn', logFormat: 'text' },
    })
    expect(config).toMatchObject({
      ...{ host: '0.0.0.0', port: 0, dataFolder: '/d', usersFile: 'u.json', signupRoles: ['user', 'client'] },
      ...{ queryAllowed: true, sessionTtlMs: 30 * 86_400_000, bcryptCost: 4, trustProxy: 1 },
      ...{ publicUrl: 'https://files.example.org', corsOrigin: 'https://a.example,http://b.example:81' },
      ...{ jobsPerAccount: 3, maxFileSize: 5 * 1024 ** 2, quota: 1024 ** 3, rateLimitPerAccount: null },
      ...{ idleTimeoutMs: 500, maxPauseMs: 7_200_000, keepPartialMs: 7 * 86_400_000, shutdownGraceMs: 0 },
      ...{ tableCacheBytes: 1024 ** 2, importMemoryBytes: 1024 ** 3, importThreads: 2, importTimeoutMs: 300_000 },
      ...{ importMaxBytes: 2 * 1024 ** 3, scratchBytes: 2 * 1024 ** 2 },
      ...{ tls: { certFile: 'c.pem', keyFile: 'k.pem' }, redirectHttpPort: 8081, logLevel: 'warn', logFormat: 'text' },
    })
  })

  it('disables the time limit of imports for "none" and 0', () => {
    for (const importTimeout of ['none', '0', '0s']) expect(parseConfig({ importTimeout }).importTimeoutMs).toBeNull()
    expect(() => parseConfig({ importTimeout: 'soon' })).toThrow(/--import-timeout/)
  })

  it('prefers a flag to its variable, and treats an empty variable as unset', () => {
    const env = { FILEJOBS_PORT: '9000', FILEJOBS_SESSION_TTL: '1h', FILEJOBS_QUOTA: '' }
    expect(parseConfig({ port: '9001' }, env)).toMatchObject({ port: 9001, sessionTtlMs: 3_600_000, quota: null })
  })

  it('accepts secrets from the environment only', () => {
    const secret = 's'.repeat(32)
    expect(parseConfig({}, { FILEJOBS_JWT_SECRET: secret, FILEJOBS_ADMIN_PASSWORD: 'longenough' })).toMatchObject({
      jwtSecret: secret,
      adminPassword: 'longenough',
    })
    expect(parseConfig({}, { FILEJOBS_METRICS_TOKEN: 'scrape-me' }).metricsToken).toBe('scrape-me')
  })

  it.each(['metricsToken', 'jwtSecret', 'adminPassword'])(
    'rejects the secret %s as a flag, without repeating it',
    (name) => {
      for (const value of ['secret-value', true, '']) {
        const problem = problemOf(() => parseConfig({ [name]: value }, {}))
        expect(problem).toMatchObject({ code: 'invalid-request', message: expect.stringContaining('set FILEJOBS_') })
        expect(problem?.message).not.toContain('secret-value')
      }
    },
  )

  it('reads the metrics token from a file, without its line end', async () => {
    const path = join(await temporaryFolder(), 'token')
    await writeFile(path, 'from-a-file\n')
    expect(parseConfig({ metricsTokenFile: path }, {}).metricsToken).toBe('from-a-file')
    expect(parseConfig({}, { FILEJOBS_METRICS_TOKEN_FILE: path }).metricsToken).toBe('from-a-file')
    for (const content of ['', 'two words\n']) {
      await writeFile(path, content)
      const problem = problemOf(() => parseConfig({ metricsTokenFile: path }, {}))
      expect(problem).toMatchObject({ code: 'invalid-request', details: { field: '--metrics-token-file' } })
    }
    const missing = problemOf(() => parseConfig({ metricsTokenFile: `${path}.missing` }, {}))
    expect(missing?.message).toContain('ENOENT')
  })

  it.each(['127.0.0.1', '127.9.9.9', 'localhost', '::1', '[::1]'])('is open by default on %s', (host) => {
    expect(parseConfig({ host })).toMatchObject({ signupRoles: ['user', 'ops', 'client'], queryAllowed: true })
  })

  it.each(['0.0.0.0', '::', '192.168.1.5', 'files.example.org', '127.evil.example'])(
    'is closed by default on %s',
    (host) => {
      expect(parseConfig({ host })).toMatchObject({ signupRoles: [], queryAllowed: false })
      expect(parseConfig({ host, signup: 'open', query: 'on' })).toMatchObject({
        signupRoles: ['user', 'ops', 'client'],
        queryAllowed: true,
      })
    },
  )

  it('is closed on loopback if configured so', () => {
    expect(parseConfig({ signup: 'closed', query: 'off' })).toMatchObject({ signupRoles: [], queryAllowed: false })
  })

  it.each([
    [{ port: '70000' }, '--port'],
    [{ port: '-1' }, '--port'],
    [{ port: '8o' }, '--port'],
    [{ port: true }, '--port'],
    [{ host: '' }, '--host'],
    [{ signup: 'open:admin' }, '--signup'],
    [{ signup: 'open:' }, '--signup'],
    [{ signup: 'yes' }, '--signup'],
    [{ query: 'yes' }, '--query'],
    [{ sessionTtl: '5' }, '--session-ttl'],
    [{ idleTimeout: '0s' }, '--idle-timeout'],
    [{ idleTimeout: '30d' }, '--idle-timeout'],
    [{ bcryptCost: '3' }, '--bcrypt-cost'],
    [{ jobsPerAccount: '0' }, '--jobs-per-account'],
    [{ quota: 'much' }, '--quota'],
    [{ rateLimitPerAccount: '0' }, '--rate-limit-per-account'],
    [{ publicUrl: 'files.example.org' }, '--public-url'],
    [{ corsOrigin: 'example' }, '--cors-origin'],
    [{ tlsCert: 'c.pem' }, '--tls-key'],
    [{ tlsKey: 'k.pem' }, '--tls-cert'],
    [{ redirectHttp: '80' }, '--tls-cert'],
    [{ logLevel: 'debug' }, '--log-level'],
    [{ logFormat: 'xml' }, '--log-format'],
    [{ tlsCert: 'c.pem', tlsKey: 'k.pem', redirectHttp: '8080' }, '--redirect-http'],
    [{ tlsCert: 'c.pem', tlsKey: 'k.pem', redirectHttp: '70000' }, '--redirect-http'],
    [{ database: 'postgres://db.example.org/filejobs' }, '--bucket'],
    [{ bucket: 's3://files' }, '--database'],
    [{ advertise: 'http://10.0.0.1:8080' }, '--database'],
    [{ database: 'db.example.org' }, '--database'],
    [{ database: 'postgres://filejobs:secret@db.example.org/filejobs' }, '--database'],
    [{ bucket: 'files' }, '--bucket'],
  ])('rejects %j and names the flag', (flags, field) => {
    expect(problemOf(() => parseConfig(flags))).toMatchObject({ code: 'invalid-request', details: { field } })
    expect(problemOf(() => parseConfig(flags))?.message).toContain(field)
  })

  it.each([
    [{ FILEJOBS_JWT_SECRET: 'short' }, 'FILEJOBS_JWT_SECRET'],
    [{ FILEJOBS_ADMIN_PASSWORD: 'short' }, 'FILEJOBS_ADMIN_PASSWORD'],
    [{ FILEJOBS_MAX_FILE_SIZE: '-5M' }, 'FILEJOBS_MAX_FILE_SIZE'],
  ])('rejects %j, and names the variable without repeating secrets', (env, field) => {
    const problem = problemOf(() => parseConfig({}, env))
    expect(problem).toMatchObject({ code: 'invalid-request', details: { field } })
    expect(problem?.message).not.toContain('short')
  })
})

describe('a server with a database and a bucket', () => {
  it('accepts a password in the variable', () => {
    const env = { FILEJOBS_DATABASE: 'postgres://filejobs:secret@db.example.org/filejobs', AWS_ACCESS_KEY_ID: 'key' }
    const { cluster } = parseConfig({ bucket: 's3://files/prefix' }, env)
    expect(cluster).toEqual({
      database: env.FILEJOBS_DATABASE,
      bucket: 's3://files/prefix',
      variables: env,
      advertise: null,
    })
  })

  it('has its own data folder without them', () => {
    expect(parseConfig({}, {}).cluster).toBeNull()
  })
})

function problemOf(run: () => unknown): Problem | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

describe('the options of a program that embeds the server', () => {
  it('are those of serve, but for its log', () => {
    expectTypeOf<Exclude<OptionName, keyof ServerOptions>>().toEqualTypeOf<'logLevel' | 'logFormat'>()
    expectTypeOf<Exclude<keyof ServerOptions, OptionName>>().toEqualTypeOf<never>()
    const wrong = { data: 'data', logLevel: 'warn' } as ServerOptions
    expect(() => embeddedConfig(wrong, {})).toThrow(new TypeError('There is no option logLevel.'))
    expect(embeddedConfig({ data: 'data', tlsCert: 'a', tlsKey: 'b', redirectHttp: 80 }, {}).redirectHttpPort).toBe(80)
  })
})
