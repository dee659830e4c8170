import type { Context } from 'hono'
import { html } from 'hono/html'
import type { FolderLevelList } from '../../../protocol/folders.js'
import { routes } from '../../../protocol/routes.js'
import { formatBytes } from '../../../protocol/units.js'
import type { AppEnv } from '../../routing/app-env.js'
import type { Folders } from '../../stores/folders.js'
import type { SharedFolder, SharedLink } from '../../transfers/shared-link.js'
import { listLevel } from './folder-pages.js'
import { answerLinkPage, wantsPage } from './link-page.js'
import { limitsOf, noteOf, senderOf } from './shared-file.js'

/** Lists a shared folder as a page for browsers, otherwise as JSON. Names are relative to the folder of the link. */
export async function answerSharedFolder(
  c: Context<AppEnv>,
  folders: Pick<Folders, 'list'>,
  shared: SharedFolder,
): Promise<Response> {
  const { folder, root, identity } = shared
  // Programs that read the page, such as rclone, do not turn it.
  const query = { ...(wantsPage(c) ? { limit: '1000' } : {}), ...c.req.query(), delimiter: '/', prefix: folder }
  const { files, folders: below, ...rest } = await listLevel(folders, identity.account, query)
  const title = root.slice(root.lastIndexOf('/', root.length - 2) + 1) + folder.slice(root.length)
  return answerSharedLevel(c, { files, folders: below, ...rest }, { shared, folder, title })
}

/** What a list belongs to. */
interface ListedLink {
  shared: SharedLink & { root: string }
  /** The folder that is listed. */
  folder: string
  title: string
}

/** Responds with a list of full names. */
export function answerSharedLevel(
  c: Context<AppEnv>,
  { files, folders, ...rest }: FolderLevelList,
  listed: ListedLink,
): Response | Promise<Response> {
  const start = listed.shared.root.length
  const level: FolderLevelList = {
    files: files.map((file) => ({ ...file, name: file.name.slice(start) })),
    folders: folders.map((each) => ({ ...each, name: each.name.slice(start) })),
    ...rest,
  }
  if (wantsPage(c)) return answerLinkPage(c, pageOf(listed, level, `${routes.shared}/${c.req.param('token')}`))
  // The address is a secret.
  c.header('Referrer-Policy', 'no-referrer')
  return c.json(level, 200)
}

function pageOf(
  { shared: { share, root, identity }, folder, title }: ListedLink,
  { folders, files, next }: FolderLevelList,
  link: string,
) {
  const hrefOf = (name: string) => `${link}/${name.split('/').map(encodeURIComponent).join('/')}`
  const labelOf = (name: string) => name.slice(name.lastIndexOf('/', name.length - 2) + 1)
  const entries = [
    ...folders.map(({ name, bytes }) => ({ name, size: bytes })),
    ...files.map(({ name, size }) => ({ name, size })),
  ]
  const body = html`<p class="from">${senderOf(identity.account)} shares ${share.names ? 'files' : 'a folder'} with you</p>
<h1>${title}</h1>
${noteOf(share)}
${entries.length === 0 ? '' : archiveLinks(hrefOf(folder.slice(root.length)))}
<ul>
${entries.map(
  ({ name, size }) =>
    html`<li><a href="${hrefOf(name)}">${labelOf(name)}</a>${size === null ? '' : html`<span>${formatBytes(size)}</span>`}</li>
`,
)}</ul>
${entries.length === 0 ? html`<p class="dim">There is nothing here.</p>` : ''}
${next === null ? '' : html`<p><a href="?cursor=${next}">More</a></p>`}
<dl>
${limitsOf(share)}
</dl>`
  return { title, body }
}

/** The archive of a folder holds everything below it. */
function archiveLinks(address: string) {
  return html`<div class="actions"><a class="button primary" href="${address}?archive=zip">Download all as ZIP</a>
<a class="button" href="${address}?archive=tar">as TAR</a></div>`
}
