import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { linkSync, mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { source } from '../lab.mjs'
import { until } from '../senders.mjs'
import { startTimed } from '../server-times.mjs'
import { signUp, startFilejobs, startNginx } from '../servers.mjs'
import { sharedNow } from '../shared-clock.mjs'
import { count, curlAll, envOf, makeFolder, upload } from './folders.mjs'
import { putOurs } from './uploads.mjs'

// What happens to a folder as a whole, and beside it.

/** @type {import('../run.mjs').Row[]} */
export const rows = [
  {
    name: 'many-replace',
    work: '`filejobs upload --together` of 2,000 files of 10 KiB that replace as many, against a new folder without',
    atMost: 1.2,
    async pair(lab) {
      // The same names: of another size, so that none is unchanged.
      const [one, other] = [makeFolder(lab), makeFolder(lab, 20, 100, 10 * 1024 + 1)]
      const server = await startFilejobs(lab)
      const counter = count()
      const replace = (folder) => upload(lab, server, folder, ['--name', 'site', '--together'])
      await replace(other)
      return {
        ours: () => replace(counter.next() % 2 === 1 ? one : other),
        other: () => upload(lab, server, one, ['--name', `run-${counter.next()}`]),
      }
    },
  },
  {
    name: 'many-replace-large',
    work: 'the publish of 2,000 files by `--together --replace` that removes 98,000 others, from the request to the answer',
    atMost: 3,
    unit: 's',
    async measure(lab) {
      const { server, times } = await startTimed(lab, '/finish')
      await upload(lab, server, makeFolder(lab, 1000, 100, 1024), ['--name', 'site', '--together'])
      const whole = await upload(lab, server, makeFolder(lab), ['--name', 'site', '--together', '--replace'])
      const [, { parsed, written }] = Object.values(await times())
      return { figure: (written - parsed) / 1000, detail: `${whole.toFixed(2)} s with the upload` }
    },
  },
  {
    name: 'many-publish-large',
    work: 'the publish of 100,000 files of 1 KiB that replace as many, from the request to the answer',
    atMost: 3,
    unit: 's',
    async measure(lab) {
      const { server, times } = await startTimed(lab, '/finish')
      await upload(lab, server, makeFolder(lab, 1000, 100, 1024), ['--name', 'site', '--together'])
      await upload(lab, server, makeFolder(lab, 1000, 100, 1025), ['--name', 'site', '--together'])
      const [first, second] = Object.values(await times()).map(({ parsed, written }) => (written - parsed) / 1000)
      return { figure: second, detail: `a new folder ${first.toFixed(2)} s` }
    },
  },
  stopOfMany('many-stop', 'by a request of another program', async (server, { id }) => {
    const asked = sharedNow()
    const receipt = await server.call(`/jobs/${id}/stop`, { method: 'POST' })
    if (!receipt.cleanedUp) throw new Error(`The receipt says that something is left: ${JSON.stringify(receipt)}`)
    return sharedNow() - asked
  }),
  stopOfMany('many-ctrl-c', 'by Ctrl-C', async (_, { child, output }) => {
    const asked = sharedNow()
    child.kill('SIGINT')
    return (await output.says('Stopped the upload')) - asked
  }),
  {
    name: 'many-beside',
    work: 'upload of SIZE by `curl -T` while another account uploads a folder of small files, against without (a rate of 0.6 ×)',
    atMost: 1.67,
    needs: ['curl'],
    async pair(lab, sizeMiB) {
      const file = source(lab, sizeMiB)
      const folder = makeFolder(lab, 200)
      const server = await startFilejobs(lab)
      const other = { ...server, token: await signUp(server.url, 'other') }
      const counter = count()
      return {
        async ours() {
          const args = [lab.program, 'upload', folder, '--name', `run-${counter.next()}`]
          const child = lab.start(process.execPath, args, { env: envOf(lab, other), quiet: true })
          const ended = once(child, 'exit')
          await until('files arrive', async () => (await runningUpload(server, other.token))?.files.done > 100)
          const seconds = await putOurs(server, file)
          if (child.exitCode !== null) throw new Error('The folder was uploaded before the file.')
          child.kill('SIGINT')
          await ended
          return seconds
        },
        other: () => putOurs(server, file),
      }
    },
  },
  {
    name: 'many-journal',
    work: '`filejobs upload` of a folder with 2,000 files of 10 KiB against 16 curls to nginx, both on an ext4 with a journal',
    atMost: 4,
    needs: ['curl', 'nginx', 'mkfs.ext4'],
    async pair(lab) {
      const folder = makeFolder(lab)
      const disk = mountJournaled(lab)
      const server = await startFilejobs(lab, { data: join(disk, 'data') })
      const nginx = await startNginx({ ...lab, folder: () => join(disk, 'nginx') })
      const counter = count()
      return {
        ours: () => upload(lab, server, folder, ['--name', `run-${counter.next()}`]),
        other: () => curlAll(lab, nginx, folder, `run-${counter.next()}`),
      }
    },
  },
]

/** The longer of two stops, with files that are published one by one and together. */
function stopOfMany(name, how, stop) {
  return {
    name,
    work: `stop of an upload of 100,000 files and 8 of SIZE, with these 8 under way, ${how}, to the receipt`,
    atMost: 150,
    unit: 'ms',
    async measure(lab, sizeMiB) {
      const folder = makeFolder(lab, 1000, 100, 1024)
      // Sent last, because they are found last.
      mkdirSync(join(folder, 'large'))
      for (let file = 0; file < 8; file += 1) linkSync(source(lab, sizeMiB), join(folder, 'large', String(file)))
      const server = await startFilejobs(lab)
      const took = { each: 0, together: 0 }
      for (const publish of ['each', 'together']) {
        // The large ones must not be done before the small ones.
        const args = ['--limit-rate', largeRate, ...(publish === 'together' ? ['--together'] : [])]
        const child = lab.start(process.execPath, [lab.program, 'upload', folder, '--name', publish, ...args], {
          env: envOf(lab, server),
          quiet: true,
        })
        const ended = once(child, 'exit')
        const output = watchOutput(child)
        let job
        await until(
          'the large ones are under way',
          async () => {
            job = await runningUpload(server, server.token)
            return job !== undefined && job.files.done >= 100_000 && job.bytes > 100_000 * 1024 + largeUnderWay
          },
          300_000,
        )
        took[publish] = await stop(server, { id: job.id, child, output })
        await ended
      }
      const detail = Object.entries(took).map(([publish, ms]) => `${publish} ${ms.toFixed(0)} ms`)
      return { figure: Math.max(took.each, took.together), detail: detail.join(', ') }
    },
  }
}

const largeRate = '60M'
/** All eight have begun when they have this many bytes. */
const largeUnderWay = 64 * 1024 ** 2

/** The running upload of the token's account. */
async function runningUpload(server, token) {
  const { jobs } = await server.call('/jobs?state=running&kind=upload', {
    headers: { authorization: `Bearer ${token}` },
  })
  return jobs[0]
}

/** `says` gives the time at which a program printed the words. */
function watchOutput(child) {
  let text = ''
  const listeners = new Set()
  child.stdout.on('data', (chunk) => {
    text += chunk
    for (const listener of listeners) listener()
  })
  return {
    says(words) {
      return new Promise((resolve, reject) => {
        const check = () => text.includes(words) && resolve(sharedNow())
        listeners.add(check)
        check()
        child.once('close', () => reject(new Error(`It ended without "${words}": ${text}`)))
      })
    },
  }
}

/** An ext4 with a journal in a file on the disk, as most machines have it. Throws where it cannot be mounted. */
function mountJournaled(lab) {
  const image = join(lab.disk, 'ext4')
  const folder = lab.folder('ext4')
  run('truncate', ['-s', '4G', image])
  run('mkfs.ext4', ['-q', '-F', '-O', 'has_journal', image])
  if (userInfo().uid !== 0) throw new Error('only root can mount a file system')
  run('mount', ['-o', 'loop', image, folder])
  lab.onClose(() => run('umount', [folder]))
  for (const name of ['data', 'nginx']) mkdirSync(join(folder, name))
  return folder
}

function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr.trim()}`)
}
