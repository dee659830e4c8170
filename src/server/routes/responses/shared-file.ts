import type { Context } from 'hono'
import { html } from 'hono/html'
import { routes } from '../../../protocol/routes.js'
import { countOf, formatBytes } from '../../../protocol/units.js'
import type { AppEnv } from '../../routing/app-env.js'
import type { OpenFile, StoredFile } from '../../stores/files.js'
import type { Share } from '../../stores/shares.js'
import type { SharedFile } from '../../transfers/shared-link.js'
import { answerLinkPage, type Markup } from './link-page.js'

/** Responds with the page of a link to a file, which the caller closes. */
export async function answerSharedFile(c: Context<AppEnv>, { share, file, identity }: SharedFile): Promise<Response> {
  const link = `${routes.shared}/${c.req.param('token')}`
  const { name, size, type, sha256, uploadedAt } = file.file
  const title = name.slice(name.lastIndexOf('/') + 1)
  const preview = share.maxDownloads === null ? await previewOf(file, `${link}?preview`) : ''
  const body = html`<p class="from">${senderOf(identity.account)} shares a file with you</p>
<h1>${title}</h1>
${noteOf(share)}
<div class="actions"><a class="button primary" href="${link}?download">Download <span>${formatBytes(size)}</span></a></div>
${preview}
<dl>
<dt>Size</dt><dd>${size < 1024 ? '' : `${formatBytes(size)}, `}${countOf(size, 'byte')}</dd>
<dt>Type</dt><dd>${type}</dd>
<dt>Uploaded</dt><dd>${timeOf(uploadedAt)}</dd>
${sha256 === null ? '' : html`<dt>SHA-256</dt><dd><code>${sha256}</code></dd>`}
${limitsOf(share)}
</dl>`
  return answerLinkPage(c, { title, body })
}

export function senderOf({ username, name }: { username: string; name: string | null }): string {
  return name ? `${name} (${username})` : username
}

export function noteOf({ note }: Pick<Share, 'note'>): Markup | '' {
  return note === null ? '' : html`<p class="note">${note}</p>`
}

/** The terms of a link, as entries of a list. */
export function limitsOf({ expiresAt, maxDownloads, downloads }: Share): Markup {
  const left = maxDownloads === null ? null : maxDownloads - downloads
  return html`<dt>Link works until</dt><dd>${timeOf(expiresAt)}</dd>
${left === null ? '' : html`<dt>Downloads left</dt><dd>${left} of ${maxDownloads}</dd>`}`
}

/** In UTC, because the page does not know where its reader is. */
export function timeOf(time: string): Markup {
  return html`<time datetime="${time}">${time.slice(0, 10)} ${time.slice(11, 16)} UTC</time>`
}

/** Of a link with a limit there is none: it would be a download that is not counted. */
async function previewOf(file: OpenFile, address: string): Promise<Markup | ''> {
  const { type, size } = file.file
  const label = 'Preview'
  if (imageTypes.has(essence(type)) && size <= maxImageBytes)
    return html`<img class="preview" src="${address}" alt="${label}">`
  if (type.startsWith('video/'))
    return html`<video class="preview" controls preload="metadata" src="${address}"></video>`
  if (type.startsWith('audio/')) return html`<audio class="preview" controls preload="none" src="${address}"></audio>`
  const text = await textOf(file)
  if (text === undefined) return ''
  return html`<pre class="preview" tabindex="0" aria-label="${label}">${text}</pre>`
}

/** The beginning of a text in UTF-8; undefined for anything else. */
async function textOf(file: OpenFile): Promise<string | undefined> {
  if (!isText(file.file) || file.file.size === 0) return undefined
  const buffer = Buffer.alloc(Math.min(file.file.size, maxTextBytes))
  let length = 0
  while (length < buffer.length) {
    const count = await file.read(buffer.subarray(length), length)
    if (count === 0) break
    length += count
  }
  try {
    // Streaming: the last character may be cut.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length), { stream: true })
    return text.includes('\0') ? undefined : text + (length < file.file.size ? '\n…' : '')
  } catch {
    return undefined
  }
}

function isText({ type }: StoredFile): boolean {
  return type.startsWith('text/') || /^application\/(json|xml|yaml|toml|x-ndjson|sql|javascript)$/.test(essence(type))
}

function essence(type: string): string {
  return type.replace(/\s*;.*$/s, '').toLowerCase()
}

const imageTypes = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/svg+xml'])
const maxImageBytes = 32 * 1024 ** 2
const maxTextBytes = 16 * 1024
