import { say } from '../../../words/say.js'

/** The beginning of a file as text; null if it is none. */
export interface PreviewText {
  text: string | null
  /** Whether there is more. */
  isCut: boolean
}

/** Reads the beginning of a file. Throws if the server does not give it. */
export async function loadText(path: string, size: number, signal: AbortSignal): Promise<PreviewText> {
  const headers = { Range: `bytes=0-${maxBytes - 1}` }
  const answer = await fetch(path, { signal, ...(size > 0 && { headers }) })
  if (!answer.ok) throw new Error(say('states.answered', { status: answer.status }))
  const bytes = await answer.arrayBuffer()
  const isCut = size > bytes.byteLength
  try {
    // Streaming: the last character may be cut.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isCut })
    return { text: text.includes('\0') ? null : text, isCut }
  } catch {
    return { text: null, isCut }
  }
}

const maxBytes = 256 * 1024
