import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { curl, settle, source, time } from '../lab.mjs'
import { median, words } from '../lines.mjs'
import { startFilejobs, startNginx } from '../servers.mjs'

// Each run has a fresh folder: replacing a file costs more than creating one.

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'many-upload',
    work: '`filejobs upload` of a folder with 2,000 files of 10 KiB, against 16 curls with keep-alive to nginx, which neither checks nor syncs',
    atMost: 4,
    needs: ['curl', 'nginx'],
    async pair(lab) {
      const folder = makeFolder(lab)
      const server = await startFilejobs(lab)
      const nginx = await startNginx(lab)
      const counter = count()
      return {
        ours: () => upload(lab, server, folder, ['--name', `run-${counter.next()}`]),
        other: () => curlAll(lab, nginx, folder, `run-${counter.next()}`),
      }
    },
  },
  {
    name: 'many-upload-together',
    work: 'the same with `--together`, against without',
    atMost: 1.2,
    async pair(lab) {
      const folder = makeFolder(lab)
      const server = await startFilejobs(lab)
      const counter = count()
      const run = (...args) => upload(lab, server, folder, ['--name', `run-${counter.next()}`, ...args])
      return { ours: () => run('--together'), other: () => run() }
    },
  },
  {
    name: 'many-unchanged',
    work: 'the same folder again, unchanged, against the second `rclone copy` to `rclone serve webdav`',
    atMost: 1,
    needs: ['rclone'],
    async pair(lab) {
      const folder = makeFolder(lab)
      const server = await startFilejobs(lab)
      const rclone = await startRclone(lab)
      const copy = async () => (await time('rclone', ['copy', folder, rclone])).seconds
      await upload(lab, server, folder)
      await copy()
      return { ours: () => upload(lab, server, folder), other: copy }
    },
  },
  {
    name: 'many-unchanged-large',
    work: '`filejobs upload` of a folder with 100,000 files of 1 KiB, all unchanged',
    atMost: 2,
    unit: 's',
    async measure(lab) {
      const folder = makeFolder(lab, 1000, 100, 1024)
      const server = await startFilejobs(lab)
      await upload(lab, server, folder)
      // Digests of files that are this young are computed again once.
      await upload(lab, server, folder)
      return repeated(() => upload(lab, server, folder))
    },
  },
  {
    name: 'many-export',
    work: '`filejobs export` of the 2,000 files into a folder, digests checked',
    atMost: 1.2,
    unit: 's',
    async measure(lab) {
      const folder = makeFolder(lab)
      const server = await startFilejobs(lab)
      await upload(lab, server, folder, ['--name', 'many'])
      return repeated(() => run(lab, server, ['export', 'many/', '-o', `${lab.folder('target')}/`]))
    },
  },
  {
    name: 'many-tar-in',
    work: 'a tar of the 2,000 files by `curl -T`',
    atLeast: 2000,
    unit: 'files/s',
    needs: ['curl', 'tar'],
    async measure(lab) {
      const tar = join(lab.memory, 'many.tar')
      await time('tar', ['cf', tar, '-C', makeFolder(lab), '.'])
      const server = await startFilejobs(lab)
      const counter = count()
      // `-T FILE` would add the name of the file to a URL that ends with a slash.
      const body = ['-X', 'PUT', '-H', 'Content-Type: application/x-tar', '--data-binary', `@${tar}`]
      const send = () => curl([...server.as, ...body, `${server.url}/files/run-${counter.next()}/?extract=tar`])
      return perSecond(await repeated(send))
    },
  },
  {
    name: 'many-tar-out',
    work: 'the 2,000 files as a tar by `curl`',
    atLeast: 5000,
    unit: 'files/s',
    needs: ['curl'],
    async measure(lab) {
      const server = await startFilejobs(lab)
      await upload(lab, server, makeFolder(lab), ['--name', 'many'])
      const target = ['-o', join(lab.memory, 'out.tar'), `${server.url}/files/many/?archive=tar`]
      return perSecond(await repeated(() => curl([...server.as, ...target])))
    },
  },
  {
    name: 'many-memory',
    work: 'memory (peak resident) of server and client with an upload of 100,000 files of 1 KiB, the larger one',
    atMost: 250,
    unit: 'MB',
    async measure(lab) {
      const folder = makeFolder(lab, 1000, 100, 1024)
      const server = await startFilejobs(lab)
      const child = spawn(process.execPath, [lab.program, 'upload', folder], {
        env: envOf(lab, server),
        stdio: 'ignore',
      })
      let client = 0
      const timer = setInterval(() => {
        client = Math.max(client, peakResidentMb(child.pid))
      }, 100)
      const [code] = await once(child, 'exit')
      clearInterval(timer)
      if (code !== 0) throw new Error(`the upload ended with ${code}`)
      const atServer = peakResidentMb(server.pid)
      return {
        figure: Math.max(client, atServer),
        detail: `client ${Math.round(client)}, server ${Math.round(atServer)}`,
      }
    },
  },
  {
    name: 'many-large-file',
    work: '`filejobs upload` of a folder with one file of SIZE, against that of the file',
    atMost: 1.05,
    async pair(lab, sizeMiB) {
      const folder = join(lab.memory, 'one')
      mkdirSync(folder)
      linkSync(source(lab, sizeMiB), join(folder, 'large'))
      const server = await startFilejobs(lab)
      const fresh = () => rmSync(server.file('one'), { recursive: true, force: true })
      return {
        ours() {
          fresh()
          return upload(lab, server, folder)
        },
        other() {
          fresh()
          return run(lab, server, ['upload', join(folder, 'large'), '--name', 'one/large'])
        },
      }
    },
  },
]

const files = 2000

/** The median of five runs that give their seconds, after one to warm up. Each gets its number. */
export async function repeated(run) {
  await run(0)
  const times = []
  while (times.length < 5) {
    settle()
    times.push(await run(times.length + 1))
  }
  return { figure: median(times), detail: words(times) }
}

function perSecond({ figure, detail }) {
  return { figure: files / figure, detail }
}

export function count() {
  let last = 0
  return {
    next() {
      last += 1
      return last
    },
  }
}

/** A folder in memory of random files, made once for each shape, with names that sort. */
export function makeFolder(lab, folders = 20, filesEach = 100, bytes = 10 * 1024) {
  const root = join(lab.memory, `many-${folders}-${filesEach}-${bytes}`)
  for (let folder = 0; folder < folders; folder += 1) {
    const path = join(root, `folder-${String(folder).padStart(4, '0')}`)
    mkdirSync(path, { recursive: true })
    for (let file = 0; file < filesEach; file += 1) {
      writeFileSync(join(path, `file-${String(file).padStart(4, '0')}.bin`), randomBytes(bytes))
    }
  }
  return root
}

/** All files by 16 curls, each of which uses one connection. */
export async function curlAll(lab, nginx, folder, name) {
  const lists = Array.from({ length: 16 }, () => [])
  for (const [at, file] of readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .entries()) {
    const path = join(file.parentPath ?? file.path, file.name)
    const target = `${nginx.url}/${name}/${path.slice(folder.length + 1)}`
    lists[at % lists.length].push(`upload-file = "${path}"\nurl = "${target}"\noutput = /dev/null\n`)
  }
  for (const below of readdirSync(folder)) mkdirSync(join(nginx.files, name, below), { recursive: true })
  const configs = lists.map((list, at) => {
    const path = join(lab.memory, `curl-${at}`)
    writeFileSync(path, list.join(''))
    return path
  })
  const startedAt = performance.now()
  await Promise.all(configs.map((config) => time('curl', ['-sSf', '-K', config])))
  const seconds = (performance.now() - startedAt) / 1000
  const stored = readdirSync(join(nginx.files, name), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  if (stored.length !== files) throw new Error(`nginx has stored ${stored.length} files`)
  return seconds
}

/** The address of `rclone serve webdav` in the form that rclone takes. */
async function startRclone(lab) {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('No free port.')
  const url = `http://127.0.0.1:${address.port}`
  lab.start('rclone', ['serve', 'webdav', lab.folder('rclone'), '--addr', `127.0.0.1:${address.port}`], { quiet: true })
  for (let attempt = 0; ; attempt += 1) {
    const isThere = await fetch(url).then(
      () => true,
      () => false,
    )
    if (isThere) return `:webdav,url='${url}':`
    if (attempt === 100) throw new Error('rclone does not answer.')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export function upload(lab, server, folder, args = []) {
  return run(lab, server, ['upload', folder, ...args])
}

async function run(lab, server, args) {
  return (await time(process.execPath, [lab.program, ...args], { env: envOf(lab, server) })).seconds
}

export function envOf(lab, server) {
  return {
    ...process.env,
    FILEJOBS_SERVER: server.url,
    FILEJOBS_TOKEN: server.token,
    XDG_STATE_HOME: lab.disk,
    XDG_CACHE_HOME: lab.disk,
  }
}

function peakResidentMb(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
