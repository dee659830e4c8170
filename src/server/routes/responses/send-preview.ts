import type { HttpBindings } from '@hono/node-server'
import { Problem } from '../../../protocol/problems.js'
import { maxPreviewBytes } from '../../../protocol/routes.js'
import type { Identity } from '../../auth/identity.js'
import { leftSignal } from '../../http/connection.js'
import { accountName } from '../../stores/accounts.js'
import type { OpenFile } from '../../stores/files.js'
import type { Previews } from '../../transfers/previews.js'
import type { ByteRange } from '../../transfers/sending.js'
import { chooseRange, headersOf } from './send-file.js'
import { validatorHeaders } from './validators.js'

interface PreviewAnswer {
  env: HttpBindings
  /** Whose rate limit counts. */
  identity: Identity
  previews: Previews
  /** Closed in any case. */
  file: OpenFile
}

/**
 * Responds to a GET for a look at a file: like the file itself, ranges included, but without a job and a slot, and of a
 * bounded length. A range that is longer is answered with its beginning, as players of media ask for all that follows.
 * Browsers show images, media and PDF in place, under the same sandboxing policy. Throws `file-too-large`,
 * `too-many-requests`, and like `sendFile`.
 */
export async function sendPreview({ env, identity, previews, file }: PreviewAnswer): Promise<Response> {
  try {
    const choice = chooseRange(env.incoming, file.file)
    if (choice.status === 304) {
      await file.close()
      return new Response(null, { status: 304, headers: validatorHeaders(file.file) })
    }
    if (choice.status === 206) choice.range = beginningOf(choice.range)
    const { start, end } = choice.range
    if (end - start > maxPreviewBytes) {
      const message = `A preview has ${maxPreviewBytes} bytes at most: request a range, or the file itself.`
      throw new Problem('file-too-large', message, { maxBytes: maxPreviewBytes })
    }
    const headers = headersOf(file.file, choice)
    if (isShown(file.file.type)) {
      headers['Content-Disposition'] = headers['Content-Disposition']!.replace(/^attachment/, 'inline')
    }
    const account = accountName(identity.account)
    const leave = previews.enter(account)
    leftSignal(env.outgoing).addEventListener('abort', leave)
    const onEnd = async () => {
      leave()
      await file.close()
    }
    const letPass = (bytes: number) => previews.letPass(account, bytes)
    return new Response(streamOf(file, choice.range, { letPass, onEnd }), { status: choice.status, headers })
  } catch (error) {
    await file.close()
    throw error
  }
}

/**
 * RFC 9110 section 15.3.7: "a server might want to send only a subset of the data requested for reasons of its own": the
 * client sees so, and requests the rest when it needs it.
 */
function beginningOf({ start, end }: ByteRange): ByteRange {
  return { start, end: Math.min(end, start + maxPreviewBytes) }
}

interface PreviewStream {
  letPass(bytes: number): Promise<void>
  onEnd(): Promise<void>
}

/** The bytes of a range; reads no further than the client does. */
function streamOf(file: OpenFile, { start, end }: ByteRange, { letPass, onEnd }: PreviewStream) {
  let position = start
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const buffer = Buffer.alloc(Math.min(chunkBytes, end - position))
        const length = buffer.length === 0 ? 0 : await file.read(buffer, position)
        if (length === 0 && position < end) throw new Error('The file became shorter while it was being sent.')
        await letPass(length)
        position += length
        if (length > 0) controller.enqueue(buffer.subarray(0, length))
        if (position < end) return
        controller.close()
      } catch (error) {
        controller.error(error)
      }
      await onEnd()
    },
    cancel: onEnd,
  })
}

/** Others, such as HTML, are no pages of this origin, not even in a sandbox. */
function isShown(type: string): boolean {
  return /^(application\/pdf|image\/(png|jpeg|gif|webp|avif)|(audio|video)\/[\w.+-]+)\s*(;|$)/i.test(type)
}

const chunkBytes = 64 * 1024
