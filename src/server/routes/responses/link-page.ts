import { createHash, randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { html, raw } from 'hono/html'
import type { AppEnv } from '../../routing/app-env.js'
import { linkStyle } from './link-style.js'

/** What `html` of Hono returns. */
export type Markup = ReturnType<typeof html>

/** Whether a browser opens the address, and no program or part of a page. */
export function wantsPage({ req }: Pick<Context<AppEnv>, 'req'>): boolean {
  return (req.header('Accept') ?? '').includes('text/html')
}

export interface LinkPage {
  title: string
  body: Markup
  /** Default: 200. */
  status?: number
  /** Default: false. */
  hasForm?: boolean
  /** The path of the one script that the page may run; default: none. */
  script?: string | undefined
}

/** Responds with a page of a link, with nothing of other hosts. */
export function answerLinkPage(
  c: Context<AppEnv>,
  { title, body, status = 200, hasForm = false, script }: LinkPage,
): Response | Promise<Response> {
  // By nonce, not by origin: uploaded files have the page's origin.
  const nonce = randomBytes(18).toString('base64')
  const ofScript = `; script-src 'nonce-${nonce}'; connect-src 'self'`
  c.header('Content-Security-Policy', script === undefined ? policy : policy + ofScript)
  // The address of the page is a secret. Without a referrer, browsers do not tell the origin of a form either.
  c.header('Referrer-Policy', hasForm ? 'same-origin' : 'no-referrer')
  c.header('X-Frame-Options', 'DENY')
  c.header('Cache-Control', 'no-store')
  return c.html(
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<style>${raw(linkStyle)}</style>
${script === undefined ? '' : html`<script type="module" src="/${script}" nonce="${nonce}"></script>`}
</head>
<body>
<div class="brand">${raw(mark)}filejobs</div>
<main>
${body}
</main>
</body>
</html>`,
    status as 200,
  )
}

const mark =
  '<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="#3b5bdb"/><path d="M9 21.5h14M9 16h9M9 10.5h5M21.5 17.5v-8m0 0-3 3m3-3 3 3" ' +
  'fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/></svg>'

const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(linkStyle).digest('base64')}'`,
  "img-src 'self'",
  "media-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')
