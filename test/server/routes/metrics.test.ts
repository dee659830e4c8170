import { describe, expect, onTestFinished, test } from 'vitest'
import type { ServerConfig } from '../../../dist/server/config.js'
import { startTestServer } from '../../helpers/server.js'
import { isCluster } from '../../run/is-cluster.js'

async function start(changes: Partial<ServerConfig> = {}) {
  const server = await startTestServer({ shutdownGraceMs: 0, ...changes })
  onTestFinished(() => server.close())
  const ask = (headers: Record<string, string> = {}) => fetch(`${server.url}/metrics`, { headers })
  /** The value of one line, by its name with its labels. */
  const metric = async (name: string) => {
    const line = (await (await ask()).text()).split('\n').find((text) => text.startsWith(`${name} `))
    return line === undefined ? undefined : Number(line.slice(name.length + 1))
  }
  return { server, ask, metric }
}

describe('GET /metrics', () => {
  test('counts jobs by kind and outcome, with their bytes and durations', async () => {
    const { server, metric } = await start()
    const headers = { Authorization: `Bearer ${await server.logIn('ann')}` }
    await fetch(`${server.url}/files/a.txt`, { method: 'PUT', headers, body: 'x'.repeat(2000) })
    await (await fetch(`${server.url}/files/a.txt`, { headers })).text()
    await expect.poll(() => metric('filejobs_jobs_total{kind="export",end="done"}')).toBe(1)
    expect(await metric('filejobs_jobs_total{kind="upload",end="done"}')).toBe(1)
    expect(await metric('filejobs_jobs_total{kind="upload",end="stopped"}')).toBe(0)
    expect(await metric('filejobs_job_bytes_sum{kind="upload",end="done"}')).toBe(2000)
    expect(await metric('filejobs_job_bytes_bucket{le="1024",kind="upload",end="done"}')).toBe(0)
    expect(await metric('filejobs_job_seconds_count{kind="upload",end="done"}')).toBe(1)
  })

  test('reports running jobs, partials and their bytes, which a stop clears', async () => {
    const { server, metric } = await start()
    const headers = { Authorization: `Bearer ${await server.logIn('ann')}` }
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(4 * 1024 ** 2)) })
    const upload = fetch(`${server.url}/files/slow`, { method: 'PUT', headers, body, duplex: 'half' } as RequestInit)
    // Bytes count in a database once they are synced.
    if (isCluster) await expect.poll(() => metric('filejobs_partials')).toBe(1)
    else await expect.poll(() => metric('filejobs_partial_bytes')).toBeGreaterThan(1024)
    expect(await metric('filejobs_jobs{kind="upload",state="running"}')).toBe(1)
    expect(await metric('filejobs_partials')).toBe(1)
    expect(await metric('filejobs_bytes_per_second{kind="upload"}')).toBeGreaterThanOrEqual(0)
    await fetch(`${server.url}/upload/stop`, { method: 'POST', headers })
    expect((await upload).status).toBe(409)
    expect(await metric('filejobs_jobs{kind="upload",state="running"}')).toBe(0)
    expect(await metric('filejobs_partials')).toBe(0)
    expect(await metric('filejobs_jobs_total{kind="upload",end="stopped"}')).toBe(1)
  })

  test('reports the bytes that all accounts have stored, together', async () => {
    const { server, metric } = await start()
    for (const name of ['ann', 'bob']) {
      const headers = { Authorization: `Bearer ${await server.logIn(name)}` }
      await fetch(`${server.url}/files/a.txt`, { method: 'PUT', headers, body: 'x'.repeat(2000) })
    }
    expect(await metric('filejobs_stored_bytes')).toBe(4000)
  })

  test('reports rejected logins, event loop delay and build information', async () => {
    const { server, ask, metric } = await start()
    await fetch(`${server.url}/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username: 'nobody', password: 'wrong horse' }),
    })
    expect(await metric('filejobs_logins_refused_total{code="invalid-credentials"}')).toBe(1)
    const answer = await ask()
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const text = await answer.text()
    expect(text).toMatch(/^filejobs_event_loop_delay_seconds\{quantile="0\.99"\} \d/m)
    expect(text).toMatch(/^filejobs_build_info\{version="\d+\.\d+\.\d+.*",node="v\d+/m)
  })

  test('is closed to requests through a proxy, and on a host that others can reach', async () => {
    const { ask } = await start()
    for (const header of ['X-Forwarded-For', 'X-Forwarded-Server', 'X-Real-IP', 'CF-Connecting-IP', 'Via']) {
      expect((await ask({ [header]: '10.1.2.3' })).status).toBe(403)
    }
    const open = await start({ host: '0.0.0.0' })
    const answer = await open.ask()
    expect([answer.status, await answer.json()]).toMatchObject([403, { code: 'not-allowed' }])
  })

  test('accepts only its bearer token', async () => {
    const { ask } = await start({ host: '0.0.0.0', metricsToken: 'scrape-me' })
    expect((await ask()).status).toBe(401)
    expect((await ask({ Authorization: 'Bearer scrape-m' })).status).toBe(401)
    expect((await ask({ Authorization: 'Bearer scrape-me' })).status).toBe(200)
  })
})
