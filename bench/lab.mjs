import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const filejobs = join(root, 'bin/filejobs.js')

/**
 * Where the bench works, on the program `program` (default: that of this checkout): a folder on the disk (BENCH_DIR, default the system's temporary folder), one in memory for what
 * is sent, and the processes that were started. `close()` ends and removes all of it, and may be called at any time;
 * `close({ keep: true })` keeps the folder on the disk until `remove()`.
 */
export function openLab(program = filejobs) {
  const disk = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'filejobs-bench-'))
  const memory = existsSync('/dev/shm') ? mkdtempSync('/dev/shm/filejobs-bench-') : join(disk, 'memory')
  mkdirSync(memory, { recursive: true })
  /** Each process with the signal that ends it, and its children with it. */
  const running = new Map()
  const closers = []
  let count = 0

  /** Starts a process that ends with the lab, by `endSignal`. Its stderr is shown unless `quiet`. */
  function start(command, args, { env = {}, cwd = disk, quiet = false, endSignal = 'SIGKILL' } = {}) {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', quiet ? 'ignore' : 'inherit'],
    })
    running.set(child, endSignal)
    child.on('exit', () => running.delete(child))
    child.on('error', () => running.delete(child))
    return child
  }

  return {
    program,
    disk,
    memory,
    start,

    /** A new empty folder on the disk. */
    folder(name) {
      count += 1
      const path = join(disk, `${count}-${name}`)
      mkdirSync(path, { recursive: true })
      return path
    },

    /** Starts a process and gives the first line that it prints, which tells that it is ready. */
    async startAndRead(command, args, options) {
      const child = start(command, args, options)
      const ended = once(child, 'exit').then(([code]) => {
        throw new Error(`${command} ended at its start (${code})`)
      })
      ended.catch(() => {})
      const line = await Promise.race([once(createInterface(child.stdout), 'line').then(([text]) => text), ended])
      return { child, line }
    },

    /** Registers what `close` does when the processes have ended; the last one is done first. */
    onClose(close) {
      closers.unshift(close)
    },

    async close({ keep = false } = {}) {
      const ends = [...running.keys()].map((child) => once(child, 'exit'))
      for (const [child, signal] of running) child.kill(signal)
      await Promise.all(ends)
      for (const close of closers.splice(0)) close()
      rmSync(memory, { recursive: true, force: true })
      if (!keep) this.remove()
    },

    remove() {
      rmSync(disk, { recursive: true, force: true })
    },
  }
}

/** Ends a process and waits for it. */
export async function end(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

/** Whether a program is there, so that its rows can be left out with a word where it is not. */
export function hasProgram(name) {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
}

/** A file of random bytes in memory, made once for each size: `sizeMiB` of them. */
export function source(lab, sizeMiB) {
  const path = join(lab.memory, `source-${sizeMiB}`)
  if (!existsSync(path)) {
    const made = spawnSync('dd', ['if=/dev/urandom', `of=${path}`, 'bs=1M', `count=${sizeMiB}`, 'status=none'])
    if (made.status !== 0) throw new Error(`Could not make ${path}: ${made.stderr}`)
  }
  return path
}

/** Runs a program to its end and gives the seconds that it took. Throws when it fails. */
export async function time(command, args, options = {}) {
  const startedAt = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  let output = ''
  let complaint = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  const [code] = await once(child, 'close')
  const seconds = (performance.now() - startedAt) / 1000
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${complaint || output}`)
  return { seconds, output }
}

/** Times curl, and throws unless the answer has one of the statuses. */
export async function curl(args, statuses = [200, 201, 204]) {
  const { seconds, output } = await time('curl', ['-sS', '-w', '\n%{http_code}', ...args])
  const status = Number(output.trim().split('\n').at(-1))
  if (!statuses.includes(status)) throw new Error(`curl ${args.join(' ')} was answered ${output}`)
  return seconds
}

/** Writes out what the disk still has to take, so that no run pays for the one before. */
export function settle() {
  spawnSync('sync')
}
