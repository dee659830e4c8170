import type { Context } from 'hono'
import { html } from 'hono/html'
import { Problem, type ProblemCode, problems } from '../../../protocol/problems.js'
import type { AppEnv } from '../../routing/app-env.js'
import { addVary } from '../../routing/vary.js'
import { answerLinkPage, wantsPage } from './link-page.js'

/** What the problems of a kind of link are called on its page; others are answered as everywhere. */
export type LinkProblemTitles = { readonly [code in ProblemCode]?: string }

/** Responds with a page; of a link with a password, it has the form for it, which goes to `address`. */
function answerLinkProblem(
  c: Context<AppEnv>,
  problem: Problem,
  { titles, address }: { titles: LinkProblemTitles; address: string },
): Response | Promise<Response> {
  const { code, message, details } = problem
  const { status } = problems[code]
  const title = titles[code] ?? passwordTitles[code]!
  if (details.retryAfter !== undefined) c.header('Retry-After', String(details.retryAfter))
  // RFC 9110 section 11.6.1 demands a challenge; for that of Basic, browsers would open a dialog in front of the form.
  if (status === 401) c.header('WWW-Authenticate', 'Cookie realm="filejobs link"')
  const fault = code === 'password-required' ? 'Ask the sender of the link for the password.' : message
  const form = html`<form method="post" action="${address}">
<label>Password<input type="password" name="password" required autofocus autocomplete="current-password"></label>
<button class="primary">Open</button>
</form>`
  const hasForm = status === 401 || code === 'too-many-attempts'
  const body = html`<h1>${title}</h1>
<p${code === 'wrong-password' ? html` class="failed" role="alert"` : ''}>${fault}</p>
${hasForm ? form : ''}`
  return answerLinkPage(c, { title, body, status, hasForm })
}

/**
 * Answers browsers with a page where programs get a problem. `tell` turns the problem into what the user of the link may know;
 * by default it is the same.
 */
export function inWords(
  serve: (c: Context<AppEnv>) => Promise<Response>,
  { titles, addressOf, tell = (problem) => problem }: LinkWords,
) {
  return async (c: Context<AppEnv>) => {
    addVary(c, 'Accept')
    try {
      return await serve(c)
    } catch (error) {
      if (!(error instanceof Problem) || !wantsPage(c)) throw error
      const problem = tell(error)
      if (!hasTitle(problem, titles)) throw problem
      return answerLinkProblem(c, problem, { titles, address: addressOf(c) })
    }
  }
}

interface LinkWords {
  titles: LinkProblemTitles
  /** The path of the link. */
  addressOf(c: Context<AppEnv>): string
  tell?: (problem: Problem) => Problem
}

/** Whether a problem is said in words. */
function hasTitle({ code }: Problem, titles: LinkProblemTitles): boolean {
  return code in titles || code in passwordTitles
}

const passwordTitles: LinkProblemTitles = {
  'password-required': 'This link has a password',
  'wrong-password': 'This link has a password',
  'too-many-attempts': 'Too many wrong passwords',
}
