import { formatBytes } from '../../protocol/units.js'
import { errorText } from '../api.js'
import { type ChosenFile, chosenFiles, droppedFiles, isEmptyFolder } from '../uploads/dropped-files.js'
import { tusUpload } from '../uploads/tus-upload.js'
import { openUnfinished, type UnfinishedUploads } from '../uploads/unfinished.js'
import { say } from '../words/say.js'
import { addSendingRow } from './sending-row.js'

/** The parts of the page, which the server has written. */
export interface RequestPage {
  form: HTMLFormElement
  input: HTMLInputElement
  list: HTMLElement
  /** Says how far all is. */
  status: HTMLElement
  /** The path of the link. */
  address: string
}

/** Sends the files that are chosen or dropped, each by tus: what breaks is resumed, also after a reload when it is chosen again. */
export function sendChosenFiles({ form, input, list, status, address }: RequestPage): void {
  // The name of the key says nothing of the secret.
  const unfinished = openUnfinished(`request:${address.slice(address.lastIndexOf('/') + 1).slice(0, 12)}`)
  const waiting: (() => Promise<void>)[] = []
  const counts = { all: 0, sent: 0, ended: 0 }
  let running = 0

  const tell = () => {
    const { all, sent, ended } = counts
    if (ended < all) status.textContent = say('send.progress', { done: sent, count: all })
    else if (sent < all) status.textContent = say('send.someNot', { count: sent, failed: all - sent })
    else status.textContent = say('send.ended', { count: sent })
  }
  const next = () => {
    while (running < maxAtOnce && waiting.length > 0) {
      running++
      void waiting.shift()!().finally(() => {
        running--
        counts.ended++
        tell()
        next()
      })
    }
  }
  const add = (files: ChosenFile[]) => {
    for (const file of files.filter((file) => !isEmptyFolder(file))) {
      counts.all++
      const send = prepare(file, { list, address, unfinished }, () => counts.sent++)
      waiting.push(send)
    }
    tell()
    next()
  }

  form.addEventListener('submit', (event) => event.preventDefault())
  input.addEventListener('change', () => {
    add(chosenFiles(input.files))
    input.value = ''
  })
  const mark = (isOver: boolean) => document.body.classList.toggle('over', isOver)
  addEventListener('dragover', (event) => {
    event.preventDefault()
    mark(true)
  })
  addEventListener('dragleave', (event) => mark(event.relatedTarget !== null))
  addEventListener('drop', (event) => {
    event.preventDefault()
    mark(false)
    if (event.dataTransfer) void droppedFiles(event.dataTransfer).then(add)
  })
  addEventListener('beforeunload', (event) => {
    if (counts.ended < counts.all) event.preventDefault()
  })
}

/** Adds the line of a file, and returns what sends it. */
function prepare(
  { name, file }: ChosenFile,
  { list, address, unfinished }: { list: HTMLElement; address: string; unfinished: UnfinishedUploads },
  onSent: () => void,
): () => Promise<void> {
  const endpoint = `${address}/tus`
  const cancelled = new AbortController()
  const row = addSendingRow(list, { name, size: file.size }, () => cancelled.abort())
  let id: string | undefined
  return async () => {
    try {
      cancelled.signal.throwIfAborted()
      row.progress(0)
      await tusUpload({
        endpoint,
        name,
        file,
        unfinished,
        replace: true,
        signal: cancelled.signal,
        maxSilenceMs: () => maxSilenceMs,
        onLost: (isLost) => isLost && row.say(say('send.lost')),
        onProgress: (bytes) => row.progress(Math.min(bytes, file.size)),
        onJob: (job) => {
          id = job
        },
      })
      onSent()
      row.end(say('send.sent', { size: formatBytes(file.size) }))
    } catch (error) {
      if (!cancelled.signal.aborted) return row.fail(errorText(error))
      row.end(say('send.cancelled'))
      const known = unfinished.find(name, file)
      if (known) unfinished.remove(known.id)
      if (id !== undefined) await removeUpload(`${endpoint}/${id}`)
    }
  }
}

/** Otherwise it would count towards the limits of the link until it expires. */
async function removeUpload(path: string): Promise<void> {
  await fetch(path, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' }, keepalive: true }).catch(() => {})
}

const maxAtOnce = 3
/** A request may wait for others of the same link, and of other senders. */
const maxSilenceMs = 120_000
