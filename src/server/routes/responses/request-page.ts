import type { Context } from 'hono'
import { html } from 'hono/html'
import { countOf, formatBytes } from '../../../protocol/units.js'
import type { AppEnv } from '../../routing/app-env.js'
import type { OpenedRequest } from '../../transfers/file-requests.js'
import { leftOf } from '../../transfers/request-state.js'
import { answerLinkPage } from './link-page.js'
import { noteOf, senderOf, timeOf } from './shared-file.js'

/**
 * Responds with the page of a link for uploads: a form that works without scripts; with `script`, each file is sent by tus and its
 * progress shown. `address` is the path of the link.
 */
export function answerRequestPage(
  c: Context<AppEnv>,
  { request, identity }: OpenedRequest,
  { address, script }: { address: string; script: string | undefined },
): Response | Promise<Response> {
  const body = html`<p class="from">${senderOf(identity.account)} asks you for files</p>
<h1>Send files</h1>
${noteOf(request)}
<form id="send" method="post" enctype="multipart/form-data" action="${address}" data-address="${address}">
<label class="drop"><span>Choose files<span class="by-script" hidden>, or drop files and folders here</span></span>
<input type="file" name="file" multiple required></label>
<button class="primary">Send</button>
</form>
<p id="sending" role="status"></p>
<ul id="files"></ul>
<dl>
${limitsOf(request)}
<dt>Link works until</dt><dd>${timeOf(request.expiresAt)}</dd>
</dl>`
  return answerLinkPage(c, { title: 'Send files', body, hasForm: true, script })
}

/** The page after the form was sent without scripts. */
export function answerSentPage(
  c: Context<AppEnv>,
  { identity }: OpenedRequest,
  { address, files }: { address: string; files: readonly { name: string; size: number }[] },
): Response | Promise<Response> {
  const body = html`<p class="from">For ${senderOf(identity.account)}</p>
<h1>${countOf(files.length, 'file')} sent</h1>
<ul>
${files.map(({ name, size }) => html`<li><span class="name">${name}</span><span>${formatBytes(size)}</span></li>\n`)}</ul>
<div class="actions"><a class="button" href="${address}">Send more</a></div>`
  return answerLinkPage(c, { title: 'Files sent', body, status: 201 })
}

function limitsOf(request: OpenedRequest['request']) {
  const { filesLeft, bytesLeft } = leftOf(request)
  const { maxFileBytes } = request
  return html`${filesLeft === null ? '' : html`<dt>Files</dt><dd>${filesLeft.toLocaleString('en')} more</dd>`}
${bytesLeft === null ? '' : html`<dt>Size</dt><dd>${formatBytes(bytesLeft)} more in all</dd>`}
${maxFileBytes === null ? '' : html`<dt>Each file</dt><dd>${formatBytes(maxFileBytes)} at most</dd>`}`
}
