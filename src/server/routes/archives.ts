import { OpenAPIHono } from '@hono/zod-openapi'
import { routes } from '../../protocol/routes.js'
import type { ArchiveExports } from '../archives/archive-exports.js'
import { type Selection, selectFolder, selectNames } from '../archives/selection.js'
import { getPublisher, publishedName } from '../auth/publishers.js'
import type { AppEnv } from '../routing/app-env.js'
import type { AccountStore } from '../stores/accounts.js'
import type { Space } from '../stores/files.js'
import { archivedFolder, findArchive } from './headers/archive-query.js'
import { parseChosen } from './headers/names.js'
import { sendArchive } from './responses/send-archive.js'

export interface ArchiveRouteServices {
  accounts: Pick<AccountStore, 'find'>
  archives: ArchiveExports
}

/**
 * `GET /files/PREFIX/?archive=` and `GET /published/OPS/PREFIX/?archive=` send folders. Without `archive`, the requests
 * are those of other routes: mount these first.
 */
export function archiveRoutes({ accounts, archives }: ArchiveRouteServices) {
  const app = new OpenAPIHono<AppEnv>()

  // Hono calls GET handlers for HEAD too.
  app.on('GET', [routes.files, `${routes.files}/*`], async (c, next) => {
    const wanted = findArchive(c.req.query())
    if (!wanted) return next()
    const identity = c.get('identity')
    const name = archivedFolder(c.env.incoming.url ?? '', `${routes.files}/`)
    const selection = selectIn(identity.account, name, c.req.queries('name'))
    return sendArchive({ env: c.env, identity, archives, selection, wanted, name })
  })

  app.on('GET', [`${routes.published}/:ops`, `${routes.published}/:ops/*`], async (c, next) => {
    const wanted = findArchive(c.req.query())
    if (!wanted) return next()
    const [, ops = '', prefix = ''] = /^([^/]*)\/(.*)$/s.exec(publishedFolder(c.env.incoming.url ?? '')) ?? []
    const publisher = await getPublisher(accounts, ops)
    const name = publishedName(publisher, prefix)
    const selection = selectIn(publisher, prefix, c.req.queries('name'))
    return sendArchive({ env: c.env, identity: c.get('identity'), archives, selection, wanted, name })
  })
  return app
}

/** The folder, or of what is in it only these names. Throws `invalid-request`. */
function selectIn(space: Space, folder: string, names: readonly string[] | undefined): Selection {
  if (!names || names.length === 0) return selectFolder(space, folder)
  return {
    ...selectNames(
      space,
      names.map((name) => parseChosen(folder + name)),
    ),
    base: folder,
  }
}

/** `OPS/PREFIX/`, also of a target without the slash after `OPS`. */
function publishedFolder(target: string): string {
  const path = target.replace(/^([^?]*\/published\/[^/?]+)(?=\?|$)/, '$1/')
  return archivedFolder(path, `${routes.published}/`)
}
