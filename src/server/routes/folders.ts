import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { requestLength } from '../../protocol/body-length.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import { describeFolderOperations } from '../openapi/folder-operations.js'
import type { AppEnv } from '../routing/app-env.js'
import { pathOf } from '../routing/target-check.js'
import type { Folders } from '../stores/folders.js'
import { checkPrecondition } from '../stores/precondition.js'
import { preconditionOf } from './headers/conditions.js'
import { folderFromTarget } from './headers/names.js'

/** `/files/FOLDER/`: PUT and DELETE. What has a query, such as an archive, is not for these. */
export function folderRoutes({ folderStore }: { folderStore: Folders }) {
  const app = new OpenAPIHono<AppEnv>()
  const byName = `${routes.files}/*`
  describeFolderOperations(app)

  app.put(byName, async (c, next) => {
    const folder = folderOf(c)
    if (folder === undefined) return next()
    const { incoming } = c.env
    if (requestLength(incoming.headers) !== 0) {
      const message = 'A folder has no content: send an empty body, or a name without a slash at its end.'
      throw new Problem('invalid-request', message, { field: 'body' })
    }
    const { account } = c.get('identity')
    const precondition = preconditionOf(incoming)
    const isThere = await folderStore.exists(account, folder)
    // A folder has no version: only whether there is one can be a condition.
    checkPrecondition(isThere ? { name: folder, entityTag: '' } : undefined, precondition)
    const created = await folderStore.create(account, folder)
    return c.body(null, created ? 201 : 204)
  })

  app.delete(byName, async (c, next) => {
    const onlyEmpty = c.req.query('empty') === 'true'
    const folder = folderOf(c, onlyEmpty ? '?empty=true' : '')
    if (folder === undefined) return next()
    const precondition = preconditionOf(c.env.incoming)
    const removed = await folderStore.remove(c.get('identity').account, folder, { precondition, onlyEmpty })
    if (!removed) throw new Problem('file-not-found', `There is no folder "${folder}".`, { name: folder })
    return c.body(null, 204)
  })
  return app
}

/** Undefined for a file, and for a request with another query. */
function folderOf(c: Context<AppEnv>, query = ''): string | undefined {
  const target = c.env.incoming.url ?? ''
  const path = pathOf(target)
  const ownQuery = target.includes('?') ? target.slice(target.indexOf('?')) : ''
  const isFolder = path.endsWith('/') && ownQuery === query
  return isFolder ? folderFromTarget(path, `${routes.files}/`) : undefined
}
