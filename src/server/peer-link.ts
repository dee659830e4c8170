import type { Authentication } from './auth/authentication.js'
import type { Clock } from './clock.js'
import type { AccountThrottles } from './jobs/account-throttles.js'
import { JobFeed } from './jobs/feed.js'
import type { Jobs } from './jobs/jobs.js'
import { PeerBroadcast } from './jobs/peer-broadcast.js'
import { listeningMs, PeerJobs } from './jobs/peer-jobs.js'
import { shareRates } from './jobs/rate-shares.js'
import type { Log } from './log.js'
import { type BusMessage, jobMessage } from './stores/bus.js'
import type { JobHistory } from './stores/history.js'
import type { Peers } from './stores/peers.js'
import { noRemoteJobs, type RemoteJobs } from './stores/remote-jobs.js'
import type { RecentStops } from './transfers/recent-stops.js'
import type { ResumableUploads } from './transfers/resumable.js'
import type { Shares } from './transfers/shares.js'

/** What connects the jobs of this server with the other ones. */
export interface PeerLink {
  /** The jobs of the others. */
  readonly remote: RemoteJobs
  /** The live events of all servers' jobs. */
  openFeed(jobs: Jobs): JobFeed
  /** How many servers there are, with this one. */
  servers(): number
  /** Tells all others. */
  tell(message: BusMessage): void
  /** Tells the others about the jobs of this server, and answers what they want of them. */
  join(services: LinkedServices): Promise<void>
  close(): Promise<void>
}

export interface LinkedServices {
  jobs: Jobs
  resumable: Pick<ResumableUploads, 'handOver'>
  authentication: Pick<Authentication, 'endElsewhere' | 'checkSessions' | 'learn'>
  shares: Pick<Shares, 'endDownloads'>
  stoppedExports: Pick<RecentStops, 'learn' | 'forgetKey'>
  throttles: AccountThrottles
}

export interface PeerLinkOptions {
  history: JobHistory
  clock: Clock
  log: Log
}

/** `peers`: null for a server that is alone. */
export function openPeerLink(peers: Peers | null, options: PeerLinkOptions): PeerLink {
  return peers ? linkTo(peers, options) : unlinked(options)
}

function unlinked({ clock }: PeerLinkOptions): PeerLink {
  return {
    remote: noRemoteJobs,
    openFeed: (jobs) => new JobFeed(jobs, { clock }),
    servers: () => 1,
    tell() {},
    async join() {},
    async close() {},
  }
}

function linkTo({ bus, serve, onHold, ...peers }: Peers, { history, clock, log }: PeerLinkOptions): PeerLink {
  let isOwn = (_id: string) => false
  let feed: JobFeed | undefined
  const peerJobs = new PeerJobs({
    bus,
    remote: peers.jobs,
    history,
    clock,
    isOwn: (id) => isOwn(id),
    onGap: () => feed?.resync(),
    onError: (error) => log.warn('The jobs of other servers could not be read', error),
  })
  const tellWishes = () => peerJobs.listen(feed?.audience() ?? new Set())
  let endSharing = () => {}
  const endWishes = clock.every(listeningMs, tellWishes)
  return {
    remote: peerJobs.remote,

    openFeed(jobs) {
      isOwn = (id) => jobs.find(id) !== undefined
      const all = {
        observe(observer: Parameters<Jobs['observe']>[0] & Parameters<PeerJobs['observe']>[0]) {
          const ends = [jobs.observe(observer), peerJobs.observe(observer)]
          return () => {
            for (const end of ends) end()
          }
        },
        unfinished: () => [...jobs.unfinished(), ...peerJobs.unfinished()],
      }
      feed = new JobFeed(all, { clock, onListen: tellWishes })
      return feed
    },

    servers: peers.count,

    tell: (message) => bus.tell('all', message),

    async join({ jobs, resumable, authentication, shares, stoppedExports, throttles }) {
      jobs.observe(({ id }, change) => change === 'state' && peerJobs.forget(id))
      new PeerBroadcast({ bus, jobs, clock })
      onHold((isHeld) => throttles.hold.set(isHeld))
      endSharing = shareRates(throttles, { bus, clock })
      bus.onMessage((message) => {
        if ('ended' in message) authentication.endElsewhere(message.ended)
        if ('counted' in message) authentication.learn(message.counted)
        if ('revoked' in message) shares.endDownloads(message.revoked)
        if ('stoppedExport' in message) stoppedExports.learn(message.stoppedExport)
        if ('restartedExport' in message) stoppedExports.forgetKey(message.restartedExport)
      })
      bus.onGap(() => {
        authentication.checkSessions().catch((error) => log.warn('The sessions could not be checked', error))
      })
      serve({
        stop: (id, by) => jobs.stop(id, by),
        pause: (id) => jobs.pause(id),
        resume: (id) => jobs.resume(id),
        change: (id, changes) => jobs.change(id, changes),
        async handOver(id) {
          const job = jobs.find(id)
          await resumable.handOver(id)
          // The server that continues it tells only what changes.
          if (job && !job.isEnded) peerJobs.receive(jobMessage(job.record(), job.accountId))
        },
      })
      await peerJobs.load()
    },

    async close() {
      endWishes()
      endSharing()
    },
  }
}
