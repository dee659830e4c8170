import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { curl, source } from '../lab.mjs'
import { startSenders } from '../senders.mjs'
import { startFilejobs } from '../servers.mjs'

const password = 'bench-password'

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'dashboard-paint',
    work: 'first paint of the dashboard, nothing cached',
    atMost: 300,
    unit: 'ms',
    needs: ['chromium'],
    measure: async (lab) => (await loadOften(lab)).paint,
  },
  {
    name: 'dashboard-ready',
    work: 'the dashboard ready to use: signed in, files listed, events live',
    atMost: 300,
    unit: 'ms',
    needs: ['chromium'],
    measure: async (lab) => (await loadOften(lab)).ready,
  },
  {
    name: 'dashboard-frames',
    work: 'frames a second while the dashboard shows 500 running jobs and scrolls through them (10 s)',
    // What a browser without a screen gives at most is 60.
    atLeast: 59,
    unit: 'frames/s',
    needs: ['chromium'],
    measure: async (lab) => (await watchFrames(lab)).rate,
  },
  {
    name: 'dashboard-frames-cpu',
    work: 'processor time of the page’s main thread for each of these frames',
    atMost: 16.7,
    unit: 'ms',
    needs: ['chromium'],
    async measure(lab) {
      const { cpuMs, parts } = await watchFrames(lab)
      return { figure: cpuMs, detail: parts }
    },
  },
  {
    name: 'dashboard-upload',
    work: 'SIZE dropped into the dashboard, against `curl -T`',
    // Half the rate is twice the time.
    atMost: 2,
    needs: ['chromium', 'curl'],
    async pair(lab, sizeMiB) {
      const server = await startFilejobs(lab)
      const file = source(lab, sizeMiB)
      return {
        ours: () =>
          withPage(server, '/', async (page) => {
            await server.call('/files/dropped.bin', { method: 'DELETE' }).catch(() => {})
            const startedAt = performance.now()
            await page.getByLabel('Upload files').setInputFiles(file)
            await page.getByText(/^Uploaded /).waitFor({ timeout: 600_000 })
            const seconds = (performance.now() - startedAt) / 1000
            await server.call(`/files/${file.split('/').at(-1)}`, { method: 'DELETE' })
            return seconds
          }),
        other: () => curl([...server.as, '-T', file, `${server.url}/files/curl.bin`]),
      }
    },
  },
  {
    name: 'dashboard-small-files',
    work: '200 files of 1 KiB dropped into the dashboard, until it says that they are uploaded',
    atMost: 2000,
    unit: 'ms',
    needs: ['chromium'],
    async measure(lab) {
      const server = await startFilejobs(lab)
      const folder = lab.folder('small')
      const files = Array.from({ length: 200 }, (_, index) => join(folder, `${index}.bin`))
      for (const file of files) writeFileSync(file, randomBytes(1024))
      return withPage(server, '/', async (page) => {
        const startedAt = performance.now()
        await drop(page, files)
        await page.getByText('Uploaded 200 files').first().waitFor({ timeout: 60_000 })
        return performance.now() - startedAt
      })
    },
  },
]

/** Frames a second, and milliseconds of the main thread for each, while the list of 500 running jobs is scrolled. */
async function watchFrames(lab) {
  const server = await startFilejobs(lab, { flags: ['--jobs-per-account', '1000'] })
  await startSenders(lab, server, 500, 64 * 1024)
  return withPage(server, '/jobs', async (page) => {
    await page.getByText('500 jobs', { exact: true }).waitFor()
    await page.getByRole('article').first().waitFor()
    const session = await page.context().newCDPSession(page)
    // Time of the thread, not of the clock: what else runs on the machine does not count.
    await session.send('Performance.enable', { timeDomain: 'threadTicks' })
    const before = await cpuTimes(session)
    const { frames, seconds } = await page.evaluate(countFrames, 10_000)
    const after = await cpuTimes(session)
    const perFrame = (name) => ((after[name] - before[name]) * 1000) / frames
    const parts = ['Script', 'RecalcStyle', 'Layout'].map(
      (name) => `${name} ${perFrame(`${name}Duration`).toFixed(1)} ms`,
    )
    return { rate: frames / seconds, cpuMs: perFrame('TaskDuration'), parts: parts.join(', ') }
  })
}

async function cpuTimes(session) {
  const { metrics } = await session.send('Performance.getMetrics')
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
}

/** The medians of seven loads, each in a window that has nothing cached. */
async function loadOften(lab) {
  const server = await startFilejobs(lab)
  const paints = []
  const readies = []
  for (let round = 0; round < 8; round += 1) {
    await withPage(server, '/', async (page) => {
      const paint = await timeOf(page, 'first-contentful-paint')
      const ready = await timeOf(page, 'bench-ready')
      if (round > 0) {
        paints.push(paint)
        readies.push(ready)
      }
    })
  }
  return { paint: median(paints), ready: median(readies) }
}

/** A page of the dashboard in a new browser, signed in, and ready when `work` begins. */
async function withPage(server, path, work) {
  const { chromium } = await import('playwright-core')
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  })
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    await context.addCookies([await logIn(server)])
    const page = await context.newPage()
    await page.addInitScript(markReady)
    await page.goto(server.url + path)
    await page.waitForFunction(() => performance.getEntriesByName('bench-ready').length > 0)
    return await work(page)
  } finally {
    await browser.close()
  }
}

/** Drops files onto the middle of the page, as a person with a mouse does. */
async function drop(page, files) {
  const session = await page.context().newCDPSession(page)
  const data = { items: [], files, dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await session.send('Input.dispatchDragEvent', { type, x: 640, y: 450, data })
  }
}

/** Runs in the page: notes the moment when it shows that it is live, and nothing is being loaded any more. */
function markReady() {
  const look = () => {
    const isReady = document.querySelector('.light.live') && !document.querySelector('.loading')
    if (isReady) performance.mark('bench-ready')
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}

/** Runs in the page: how many frames there are while the list of jobs is scrolled. */
async function countFrames(milliseconds) {
  const list = document.querySelector('.virtual')
  const startedAt = performance.now()
  let frames = 0
  while (performance.now() - startedAt < milliseconds) {
    await new Promise((resolve) => requestAnimationFrame(resolve))
    frames += 1
    if (list) list.scrollTop = (list.scrollTop + 24) % list.scrollHeight
  }
  return { frames, seconds: (performance.now() - startedAt) / 1000 }
}

async function logIn(server) {
  const answer = await fetch(`${server.url}/auth/cookie`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'filejobs-csrf': '1', origin: server.url },
    body: JSON.stringify({ username: 'bench', password }),
  })
  const [, name, value] = /^([^=]+)=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '') ?? []
  if (!name || !value) throw new Error(`login: ${answer.status} ${await answer.text()}`)
  return { name, value, url: server.url }
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1]
}

/** The milliseconds of an entry of the page's timeline, which comes a frame after what it tells of. */
async function timeOf(page, entry) {
  const found = await page.waitForFunction((name) => performance.getEntriesByName(name)[0]?.startTime, entry)
  return found.jsonValue()
}
