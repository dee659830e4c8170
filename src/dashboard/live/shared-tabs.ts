/** The messages between the tabs. */
type Message<News> =
  /** Becomes the leader unless another tab is. */
  | { type: 'bid'; from: string; isNew: boolean }
  /** Is the leader; with the state for a new tab. */
  | { type: 'lead'; from: string; news: News | null }
  | { type: 'resign'; from: string }
  /** Listens to the leader, which has changed. */
  | { type: 'follow'; from: string }
  /** Listens no more. */
  | { type: 'leave'; from: string }
  | { type: 'news'; from: string; news: News }

export interface SharedWork<News> {
  /** Tabs with the same name share the work. */
  name: string
  signal: AbortSignal
  /** Does the work for all tabs until its signal aborts. */
  lead(signal: AbortSignal, tell: (news: News) => void): Promise<void>
  /** The state for a tab that joins. */
  greet(): News
  /** Receives messages of the leader. */
  follow(news: News): void
}

/**
 * Lets one tab of a browser do work for all: the others follow, and one of them takes over when it closes or stops
 * answering. Uses a BroadcastChannel, because pages over plain HTTP from other hosts have no `navigator.locks`.
 */
export function shareBetweenTabs<News>({ name, signal, lead, greet, follow }: SharedWork<News>): void {
  const id = randomId()
  const channel = new BroadcastChannel(name)
  let leading: AbortController | null = null
  let ledSince = 0
  /** The tabs that listen to this one while it leads: without any, news are not copied. */
  const followers = new Set<string>()
  let leader = ''
  let heardAt = 0
  let isAway = false
  /** A pending bid. */
  let bid: ReturnType<typeof setTimeout> | undefined

  const post = (message: Message<News>) => channel.postMessage(message)

  function tryToLead(waitMs: number, isNew: boolean): void {
    if (leading || bid !== undefined) return
    post({ type: 'bid', from: id, isNew })
    bid = setTimeout(() => {
      bid = undefined
      startLeading()
    }, waitMs)
  }

  function withdraw(): void {
    clearTimeout(bid)
    bid = undefined
    heardAt = Date.now()
  }

  function startLeading(): void {
    const current = new AbortController()
    leading = current
    ledSince = Date.now()
    followers.clear()
    post({ type: 'lead', from: id, news: greet() })
    lead(AbortSignal.any([signal, current.signal]), (news) => {
      const isHeard = followers.size > 0 || Date.now() - ledSince < answerMs
      if (leading === current && isHeard) post({ type: 'news', from: id, news })
    })
  }

  function stopLeading(): void {
    leading?.abort(new DOMException('Another tab leads.', 'AbortError'))
    leading = null
  }

  function resign(): void {
    withdraw()
    post({ type: leading ? 'resign' : 'leave', from: id })
    stopLeading()
  }

  /** Of a tab that was not known, or is new, the state is not known either. */
  function answer({ from, isNew }: { from: string; isNew: boolean }): void {
    const isUnknown = !followers.has(from)
    followers.add(from)
    post({ type: 'lead', from: id, news: isNew || isUnknown ? greet() : null })
  }

  function take({ from, type, news }: Extract<Message<News>, { type: 'lead' | 'news' }>): void {
    withdraw()
    if (type === 'lead' && from !== leader) post({ type: 'follow', from: id })
    leader = from
    if (news !== null) follow(news)
  }

  channel.onmessage = ({ data }: MessageEvent<Message<News>>) => {
    if (isAway) return
    if (leading) {
      if (data.type === 'bid') answer(data)
      else if (data.type === 'leave') followers.delete(data.from)
      // One that answers late has missed news.
      else if (data.type === 'follow' && Date.now() - ledSince < answerMs) followers.add(data.from)
      else if (data.type === 'follow') answer({ from: data.from, isNew: false })
      else if (data.type === 'resign') return
      // Two tabs lead if messages were delayed: the smaller id remains.
      else if (data.from > id) post({ type: 'lead', from: id, news: greet() })
      else stopLeading()
      if (leading) return
    }
    if (data.type === 'resign') {
      leader = ''
      tryToLead(bidMs, false)
    } else if (data.type === 'bid') {
      if (bid !== undefined && data.from < id) withdraw()
    } else if (data.type === 'lead' || data.type === 'news') take(data)
  }

  // Requested by the followers, because timers of a hidden leader may run only once a minute.
  const watch = setInterval(() => {
    if (!isAway && Date.now() - heardAt > silenceMs) tryToLead(answerMs, false)
  }, 1000)
  const leave = () => {
    isAway = true
    resign()
  }
  const comeBack = ({ persisted }: PageTransitionEvent) => {
    if (!persisted) return
    isAway = false
    tryToLead(bidMs, true)
  }
  addEventListener('pagehide', leave)
  addEventListener('pageshow', comeBack)
  signal.addEventListener('abort', () => {
    removeEventListener('pagehide', leave)
    removeEventListener('pageshow', comeBack)
    clearInterval(watch)
    resign()
    channel.close()
  })
  tryToLead(bidMs, true)
}

/** `crypto.randomUUID` is available over https only. */
function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Long enough for a message to reach the other tabs. */
const bidMs = 300
const silenceMs = 2000
/** A busy tab answers late. */
const answerMs = 2500
