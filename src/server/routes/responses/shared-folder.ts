import type { Context } from 'hono'
import { html } from 'hono/html'
import type { FolderLevelList } from '../../../protocol/folders.js'
import { routes } from '../../../protocol/routes.js'
import { formatBytes } from '../../../protocol/units.js'
import type { AppEnv } from '../../routing/app-env.js'
import { addVary } from '../../routing/vary.js'
import type { Folders } from '../../stores/folders.js'
import type { SharedFolder } from '../../transfers/shares.js'
import { listLevel } from './folder-pages.js'

/** Lists a shared folder as a page for browsers, otherwise as JSON. Names are relative to the folder of the link. */
export async function answerSharedFolder(
  c: Context<AppEnv>,
  folders: Pick<Folders, 'list'>,
  { folder, root, identity }: SharedFolder,
): Promise<Response> {
  const isPage = (c.req.header('Accept') ?? '').includes('text/html')
  // Programs that read the page, such as rclone, do not turn it.
  const query = { ...(isPage ? { limit: '1000' } : {}), ...c.req.query(), delimiter: '/', prefix: folder }
  const { files, folders: below, ...rest } = await listLevel(folders, identity.account, query)
  const level: FolderLevelList = {
    files: files.map((file) => ({ ...file, name: file.name.slice(root.length) })),
    folders: below.map((each) => ({ ...each, name: each.name.slice(root.length) })),
    ...rest,
  }
  addVary(c, 'Accept')
  // The address of the page is a secret.
  c.header('Referrer-Policy', 'no-referrer')
  if (!isPage) return c.json(level, 200)
  c.header('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
  const top = root.slice(root.lastIndexOf('/', root.length - 2) + 1)
  return c.html(pageOf(level, `${routes.shared}/${c.req.param('token')}`, top + folder.slice(root.length)))
}

function pageOf({ folders, files, next }: FolderLevelList, link: string, title: string) {
  const hrefOf = (name: string) => `${link}/${name.split('/').map(encodeURIComponent).join('/')}`
  const labelOf = (name: string) => name.slice(name.lastIndexOf('/', name.length - 2) + 1)
  const entries = [
    ...folders.map(({ name, bytes }) => ({ name, size: bytes })),
    ...files.map(({ name, size }) => ({ name, size })),
  ]
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title></head>
<body>
<h1>${title}</h1>
<ul>
${entries.map(
  ({ name, size }) =>
    html`<li><a href="${hrefOf(name)}">${labelOf(name)}</a>${size === null ? '' : ` (${formatBytes(size)})`}</li>
`,
)}</ul>
${next === null ? '' : html`<p><a href="?cursor=${next}">More</a></p>`}
</body>
</html>`
}
