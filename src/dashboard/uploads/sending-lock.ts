/** The messages between tabs about the upload with this id. */
interface Message {
  type: 'who-sends' | 'sends' | 'ended'
  id: string
}

/**
 * Marks an upload as being sent by this tab, until the returned function is called or the tab is closed. Uses a lock if
 * available, because a frozen tab cannot answer messages; pages over plain HTTP from other hosts have no locks.
 */
export function announceSending(jobId: string): () => void {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  if (navigator.locks) navigator.locks.request(nameOf(jobId), () => released).catch(() => {})
  const channel = new BroadcastChannel(channelName)
  const post = (type: Message['type']) => channel.postMessage({ type, id: jobId } satisfies Message)
  const end = () => {
    removeEventListener('pagehide', end)
    release()
    post('ended')
    channel.close()
  }
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if (data.type === 'who-sends' && data.id === jobId) post('sends')
  }
  addEventListener('pagehide', end)
  post('sends')
  return end
}

/** Resolves when no tab sends the upload, or when the signal aborts. */
export function untilUnlocked(id: string, signal: AbortSignal): Promise<void> {
  if (!navigator.locks) return untilNoAnswer(id, signal)
  return navigator.locks.request(nameOf(id), { signal }, () => {}).catch(() => {})
}

function untilNoAnswer(id: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const channel = new BroadcastChannel(channelName)
    let unanswered = 0
    const ask = () => {
      if (unanswered === maxUnanswered) return end()
      unanswered++
      channel.postMessage({ type: 'who-sends', id } satisfies Message)
    }
    const timer = setInterval(ask, askEveryMs)
    const end = () => {
      clearInterval(timer)
      signal.removeEventListener('abort', end)
      channel.close()
      resolve()
    }
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.id !== id) return
      if (data.type === 'sends') unanswered = 0
      if (data.type === 'ended') unanswered = maxUnanswered
    }
    if (signal.aborted) return end()
    signal.addEventListener('abort', end)
    ask()
  })
}

function nameOf(jobId: string): string {
  return `filejobs-upload ${jobId}`
}

const channelName = 'filejobs-sending'
const askEveryMs = 1000
/** A busy tab answers late. */
const maxUnanswered = 3
