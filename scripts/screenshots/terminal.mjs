import { execFileSync } from 'node:child_process'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { program } from './stage.mjs'

/** A picture of a real terminal: an upload with its bar above, and the jobs below. */
export async function takeTerminal({ browser, stage, folder, path }) {
  const home = `${folder}/home`
  mkdirSync(home)
  writeFileSync(`${home}/backup.iso`, '')
  truncateSync(`${home}/backup.iso`, 640 * 1024 ** 2)
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    FILEJOBS_SERVER: stage.url,
    FILEJOBS_TOKEN: stage.token,
  }
  const tmux = (...args) =>
    execFileSync('tmux', ['-L', 'filejobs-pictures', '-f', '/dev/null', ...args], { env, encoding: 'utf8' })
  const shell = `filejobs() { '${process.execPath}' '${program}' "$@"; }; PS1='\\[\\033[36m\\]~ $\\[\\033[0m\\] '; clear`
  const screenOf = (pane) => tmux('capture-pane', '-t', pane, '-p')
  const type = (pane, line) => {
    tmux('send-keys', '-t', pane, '-l', line)
    tmux('send-keys', '-t', pane, 'Enter')
  }
  /** Types a line, and waits until the next prompt is there. */
  const run = async (pane, line) => {
    const before = screenOf(pane).split(prompt).length
    type(pane, line)
    await until(() => screenOf(pane).split(prompt).length > before)
  }
  try {
    tmux('new-session', '-d', '-x', columns, '-y', '6', '-s', 'upper', '-c', home, 'bash', '--norc')
    tmux('new-session', '-d', '-x', columns, '-y', '13', '-s', 'lower', '-c', home, 'bash', '--norc')
    for (const pane of ['upper', 'lower']) {
      type(pane, shell)
      await until(() => screenOf(pane).trimEnd() === prompt)
    }
    type('upper', 'filejobs upload backup.iso --limit-rate 48M')
    await until(() => / [3-9]\d%/.test(screenOf('upper')))
    await run('lower', 'filejobs jobs')
    const upper = tmux('capture-pane', '-t', 'upper', '-p', '-e')
    await run('lower', 'filejobs stop')
    await until(() => screenOf('upper').includes('was stopped'))
    const after = tmux('capture-pane', '-t', 'upper', '-p', '-e')
    const lower = tmux('capture-pane', '-t', 'lower', '-p', '-e')
    const page = await browser.newPage({ viewport: { width: 1080, height: 300 }, deviceScaleFactor: 1.5 })
    await page.setContent(pageOf([upper, lower, after]))
    await page.locator('main').screenshot({ path, omitBackground: true })
    await page.close()
  } finally {
    tmux('kill-server')
  }
}

const prompt = '~ $'
const columns = '124'

async function until(holds) {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (holds()) return
    await delay(100)
  }
  throw new Error('The terminal does not show what it should.')
}

function pageOf(screens) {
  const words = ['First terminal', 'Second terminal', 'First terminal, a moment later']
  const windows = screens.map(
    (screen, index) => `<figure><figcaption>${words[index]}</figcaption><pre>${toHtml(screen)}</pre></figure>`,
  )
  return `<!doctype html><meta charset="utf-8"><style>
body{margin:0;background:transparent}
main{display:grid;gap:10px;width:1050px;padding:10px;font:13.5px/1.5 monospace}
figure{margin:0;overflow:hidden;border-radius:9px;background:#14171c;color:#d9dee5;box-shadow:0 2px 8px #0005}
figcaption{padding:5px 14px;background:#22272f;color:#98a2af;font:12px sans-serif}
pre{margin:0;padding:10px 14px;font:inherit}
</style><main>${windows.join('')}</main>`
}

/** What the terminal coloured, as spans. */
function toHtml(screen) {
  const escapeHtml = (text) => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
  let open = ''
  return screen
    .trimEnd()
    .split(new RegExp(`${String.fromCharCode(27)}\\[([\\d;]*)m`))
    .map((part, index) => {
      if (index % 2 === 0) return open ? `<span style="${open}">${escapeHtml(part)}</span>` : escapeHtml(part)
      open = styleOf(part.split(';').map(Number), open)
      return ''
    })
    .join('')
}

const colors = ['#6b7280', '#ff8a92', '#5fd09b', '#e5b454', '#7b96ff', '#cf94f0', '#4fc8bf', '#d9dee5']

function styleOf(codes, before) {
  let style = before
  for (const code of codes) {
    if (code === 0 || code === 39 || code === 22) style = ''
    else if (code === 1) style += 'font-weight:700;'
    else if (code === 2) style += 'opacity:.7;'
    else if (code >= 30 && code <= 37) style += `color:${colors[code - 30]};`
    else if (code >= 90 && code <= 97) style += `color:${colors[code - 90]};`
  }
  return style
}
