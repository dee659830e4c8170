import { lazyView } from '../parts/lazy-view.js'
import { baseOf } from './files/entries.js'
import { FilesView } from './files/files.js'
import { PublishedView } from './files/published.js'
import type { View } from './view.js'

/** Loaded when they are opened: the files are what most people come for. */
const loadTransfers = () => import('./transfers/transfers.js')
const TransfersView = lazyView(loadTransfers)
const TablesView = lazyView(() => import('./data/data.js'))
const SharedView = lazyView(() => import('./shared/shared.js'))
const AccountView = lazyView(() => import('./account/account.js'))
const AccountsView = lazyView(() => import('./admin/accounts.js'))
const ServerPanels = lazyView(() => import('./admin/server.js'))

// It shows what is under way, also while the server does not answer.
requestIdleCallback(() => void loadTransfers().catch(() => {}))

/** Every view of the page. To add one: an entry here, a folder beside, its name among the words, and its address in the table of routes. */
export const allViews: readonly View[] = [
  {
    name: 'view.files',
    pattern: '/files/*',
    href: '/files/',
    icon: 'folder',
    route: 'PUT /files/{name}',
    place: 'rail',
    titleOf: ({ parameters }) => baseOf(parameters.rest ?? ''),
    show: ({ parameters }) => <FilesView folder={folderIn(parameters.rest)} />,
  },
  {
    name: 'view.files',
    pattern: '/published/:ops?/*',
    href: '/published/',
    icon: 'folder',
    route: 'GET /published/{ops}',
    place: 'rail',
    titleOf: ({ parameters }) => baseOf(parameters.rest ?? ''),
    show: ({ parameters }) => <PublishedView ops={parameters.ops ?? ''} folder={folderIn(parameters.rest)} />,
  },
  {
    name: 'view.transfers',
    pattern: '/jobs/:id?',
    href: '/jobs',
    icon: 'jobs',
    route: 'GET /jobs',
    place: 'rail',
    show: ({ parameters, query }) => <TransfersView parameters={query} opened={parameters.id || null} />,
  },
  {
    name: 'view.data',
    pattern: '/tables/:table?',
    href: '/tables',
    icon: 'table',
    route: 'POST /import',
    feature: 'tables',
    place: 'rail',
    titleOf: ({ parameters, query }) => query.get('import') ?? parameters.table ?? '',
    show: ({ parameters: { table = '' }, query }) => <TablesView table={table} query={query} />,
  },
  {
    name: 'view.shared',
    pattern: '/shared',
    href: '/shared',
    icon: 'link',
    route: 'POST /shares',
    place: 'rail',
    show: () => <SharedView />,
  },
  {
    name: 'view.accounts',
    pattern: '/admin/accounts',
    href: '/admin/accounts',
    icon: 'person',
    route: 'GET /accounts',
    place: 'administration',
    show: () => <AccountsView />,
  },
  {
    name: 'view.everyJob',
    pattern: '/admin/jobs/:id?',
    href: '/admin/jobs',
    icon: 'jobs',
    route: 'GET /accounts',
    place: 'administration',
    show: ({ parameters, query }) => <TransfersView everyone parameters={query} opened={parameters.id || null} />,
  },
  {
    name: 'view.server',
    pattern: '/admin/server',
    href: '/admin/server',
    icon: 'shield',
    route: 'GET /server',
    place: 'administration',
    show: () => <ServerPanels />,
  },
  {
    name: 'view.account',
    pattern: '/account',
    href: '/account',
    icon: 'person',
    route: 'GET /auth/me',
    place: 'menu',
    show: () => <AccountView />,
  },
]

/** With a slash at its end; empty at the top. */
function folderIn(rest = ''): string {
  return rest === '' || rest.endsWith('/') ? rest : `${rest}/`
}
