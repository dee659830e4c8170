import { signal } from '@preact/signals'

export const views = ['files', 'jobs', 'tables', 'links', 'account'] as const
export type View = (typeof views)[number]

/** The location: `#/tables/sales` is the view `tables` with the rest `sales`. */
export interface Route {
  view: View
  rest: string
}

export const route = signal<Route>(parse(location.hash))

addEventListener('hashchange', () => {
  route.value = parse(location.hash)
})

/** The URL of a view. */
export function hrefOf(view: View, rest = ''): string {
  return `#/${view}${rest === '' ? '' : `/${encodeURIComponent(rest)}`}`
}

export function goTo(view: View, rest = ''): void {
  location.hash = hrefOf(view, rest)
}

function parse(hash: string): Route {
  const [name = '', rest = ''] = hash.replace(/^#\/?/, '').split('/')
  return { view: views.find((view) => view === name) ?? 'files', rest: decode(rest) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
