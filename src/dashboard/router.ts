import { signal } from '@preact/signals'

/** Where the page is: its path, percent-encoded, and its query. */
export interface Address {
  path: string
  query: URLSearchParams
  /** Whether Back or Forward led here: the browser restores the position then. */
  isReturn: boolean
}

export const address = signal<Address>(readLocation())

/** Opens an address of the page. With `replace`, Back does not return to the current one; default false. */
export function goTo(href: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', href)
  else history.pushState(null, '', href)
  address.value = readLocation()
}

/** The address of the same view with other parameters in its query; empty ones are left out. */
export function hrefWith(changes: Readonly<Record<string, string>>): string {
  const { path, query } = address.value
  const next = new URLSearchParams(query)
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') next.delete(name)
    else next.set(name, value)
  }
  return next.size === 0 ? path : `${path}?${next}`
}

/** Follows Back and Forward, and opens links to the page without loading it again. `isPage` tells its paths from those of files. */
export function startRouter(isPage: (path: string) => boolean): void {
  addEventListener('popstate', () => {
    address.value = readLocation(true)
  })
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (!link || !isPlainClick(event) || link.target !== '' || link.hasAttribute('download')) return
    if (link.origin !== location.origin || !isPage(link.pathname)) return
    event.preventDefault()
    if (link.href !== location.href) goTo(link.pathname + link.search)
  })
}

/** With a modifier or another button, the browser opens a tab or a window. */
function isPlainClick(event: MouseEvent): boolean {
  const { button, altKey, ctrlKey, metaKey, shiftKey, defaultPrevented } = event
  return button === 0 && !altKey && !ctrlKey && !metaKey && !shiftKey && !defaultPrevented
}

function readLocation(isReturn = false): Address {
  const earlier = addressOfHash(location.hash)
  if (earlier) history.replaceState(null, '', earlier)
  return { path: location.pathname, query: new URLSearchParams(location.search), isReturn }
}

/** The address that replaces one of the form `#/tables/sales`, which earlier versions had. */
function addressOfHash(hash: string): string | undefined {
  const [, view = '', rest = ''] = /^#\/(\w+)(?:\/(.*))?$/.exec(hash) ?? []
  // Of publishers, which clients read; other accounts get their own files there.
  if (view === 'files' && rest !== '') return `/published/${rest}/`
  const path = { files: '/files/', jobs: '/jobs', tables: '/tables', links: '/shared', account: '/account' }[view]
  return path && view === 'tables' && rest !== '' ? `${path}/${rest}` : path
}
