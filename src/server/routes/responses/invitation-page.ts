import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import { html, raw } from 'hono/html'
import { passwordBytes } from '../../../protocol/password-bytes.js'
import type { AppEnv } from '../../routing/app-env.js'

export interface InvitationPage {
  /** `role:username`; unset if the invitation does not work. */
  account?: string
  /** Whether the form is shown. */
  isOpen: boolean
  /** Why it does not work, or what was wrong with the password. */
  fault?: string
  /** Of the response; by default 200, and 400 for a fault. */
  status?: number
}

/** A page without scripts that sets the password of an account. */
export function answerInvitationPage(c: Context<AppEnv>, page: InvitationPage): Response | Promise<Response> {
  const status = page.status ?? (page.fault === undefined ? 200 : 400)
  c.header('Content-Security-Policy', contentSecurityPolicy)
  // The address is a secret. With `no-referrer`, the form would have no origin, and be refused as that of another site.
  c.header('Referrer-Policy', 'same-origin')
  return c.html(pageOf(page), status as 200)
}

function pageOf({ account, isOpen, fault }: InvitationPage) {
  const title =
    account === undefined ? 'Invitation' : isOpen ? `Choose a password for ${account}` : 'The password is set'
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${raw(style)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${fault === undefined ? '' : html`<p role="alert">${fault}</p>`}
${isOpen ? form(account) : account === undefined ? '' : html`<p><a href="/">Log in as ${account}</a></p>`}
</main>
</body>
</html>`
}

/** The name is for password managers. */
function form(account = '') {
  return html`<form method="post">
<input type="hidden" name="username" autocomplete="username" value="${account}">
<label>Password <input type="password" name="password" autocomplete="new-password" minlength="${passwordBytes.min}" required autofocus></label>
<label>The same again <input type="password" name="again" autocomplete="new-password" required></label>
<button>Set the password</button>
</form>`
}

const style = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; padding: 2rem 1rem; }
main { max-width: 24rem; margin: 0 auto; }
h1 { font-size: 1.25rem; overflow-wrap: anywhere; }
label { display: block; margin: 1rem 0; }
input { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: 0.5rem; }
button { font: inherit; padding: 0.5rem 1rem; }
[role=alert] { border-left: 4px solid #c62828; padding-left: 0.75rem; }
`

const styleHash = createHash('sha256').update(style).digest('base64')
const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`
