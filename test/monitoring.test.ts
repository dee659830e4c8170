import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { startServe } from './helpers/serve.js'

const textOf = (name: string) => readFileSync(new URL(`../docs/monitoring/${name}`, import.meta.url), 'utf8')

it('the dashboard and the alerts name only metrics that a server has', async () => {
  const grafana = JSON.parse(textOf('grafana.json')) as { panels: { targets: { expr: string }[] }[] }
  const dashboard = grafana.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  const alerts = [...textOf('alerts.yml').matchAll(/^ +expr: (.+)$/gm)].map(([, expr]) => expr!)
  expect([dashboard.length > 9, alerts.length > 5]).toEqual([true, true])
  const metrics = await (await fetch(`${(await startServe()).url}/metrics`)).text()
  const known = [...metrics.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!)
  const named = [...dashboard, ...alerts].flatMap((expr) => expr.match(/\b(?:filejobs|process)_\w+/g) ?? [])
  expect(named.length).toBeGreaterThanOrEqual(16)
  const missing = named.filter(
    (name) => !known.includes(name.replace(/_(bucket|sum|count)$/, '')) && !known.includes(name),
  )
  expect(missing).toEqual([])
})
