import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { requestLength } from '../../protocol/body-length.js'
import { moveSchema } from '../../protocol/files.js'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import { fileRecord } from '../openapi/answers.js'
import { describeFileOperations } from '../openapi/file-operations.js'
import type { AppEnv } from '../routing/app-env.js'
import { pathOf } from '../routing/target-check.js'
import type { PublishedFiles } from '../stores/files.js'
import type { Folders } from '../stores/folders.js'
import type { Exports } from '../transfers/exports.js'
import type { Previews } from '../transfers/previews.js'
import type { Uploads } from '../transfers/uploads.js'
import { readJson } from './bodies/json-body.js'
import { uploadRequest } from './bodies/upload-request.js'
import { preconditionOf } from './headers/conditions.js'
import { declaredDigests, fileFields, lateDigests, reprDigest } from './headers/digests.js'
import { nameFromTarget, parseFolder, parseName } from './headers/names.js'
import { answerFile, sendFile } from './responses/send-file.js'
import { sendPreview } from './responses/send-preview.js'

export interface FileServices {
  files: PublishedFiles
  folderStore: Folders
  uploads: Uploads
  exports: Exports
  previews: Previews
  /** The media type for a file name. */
  mediaTypeOf(name: string): string
}

/** `/files/NAME` is a file: PUT, GET, HEAD, DELETE, and POST to `/files/NAME/move`. */
export function fileRoutes({ files, folderStore, uploads, exports, previews, mediaTypeOf }: FileServices) {
  const app = new OpenAPIHono<AppEnv>()
  const byName = `${routes.files}/*`
  describeFileOperations(app)

  app.put(byName, async (c) => {
    const { incoming } = c.env
    const name = nameOf(c)
    if (incoming.headers['content-range'] !== undefined) {
      // RFC 9110 section 14.5: a server that does not support it must not take a part for the whole.
      throw new Problem('invalid-request', 'Content-Range: a PUT replaces the whole file; resume by /tus instead.', {
        field: 'Content-Range',
      })
    }
    const { request, done } = uploadRequest(c.env, c.get('identity'))
    try {
      const { file, created, job } = await uploads.receiveFile({
        ...request,
        name,
        type: incoming.headers['content-type'] || mediaTypeOf(name),
        body: incoming,
        size: requestLength(incoming.headers),
        digests: declaredDigests((name) => incoming.headers[name] as string | undefined, fileFields),
        lateDigests: () => lateDigests(incoming, fileFields),
        precondition: preconditionOf(c.env.incoming),
      })
      return c.json(fileRecord(file), created ? 201 : 200, {
        ETag: file.entityTag,
        ...(file.sha256 === null ? {} : { 'Repr-Digest': reprDigest(file.sha256) }),
        ...(job ? { [jobHeader]: job.id } : {}),
      })
    } finally {
      done()
    }
  })

  // Hono calls GET handlers for HEAD requests, too.
  app.get(byName, async (c) => {
    const identity = c.get('identity')
    const name = nameOf(c)
    return answerFile(c.env.incoming, {
      find: async () => found(await files.find(identity.account, name), name),
      async send() {
        const file = found(await files.open(identity.account, name), name)
        if (c.req.query('preview') !== undefined) return sendPreview({ env: c.env, identity, previews, file })
        return sendFile({ env: c.env, identity, exports, file, isRepeatable: true })
      },
    })
  })

  app.delete(byName, async (c) => {
    const name = nameOf(c)
    const removed = await files.remove(c.get('identity').account, name, preconditionOf(c.env.incoming))
    if (!removed) throw notFound(name)
    return c.body(null, 204)
  })

  app.post(byName, async (c) => {
    const [, target] = /^(.+)\/move\/?$/s.exec(pathOf(c.env.incoming.url ?? '')) ?? []
    if (target === undefined) throw new Problem('invalid-request', 'Write "/move" without percent-encoding.')
    const from = nameFromTarget(target, `${routes.files}/`)
    const { to } = await readJson(c.env.incoming, moveSchema)
    c.set('auditDetails', { to })
    // A move never replaces a file: what If-None-Match would ask for holds anyway.
    const { ifNoneMatch: _, ...precondition } = preconditionOf(c.env.incoming)
    const { account } = c.get('identity')
    if (to.endsWith('/')) await folderStore.move(account, `${from}/`, parseFolder(to), precondition)
    else await files.move(account, from, parseName(to), precondition)
    return c.body(null, 204)
  })
  return app
}

function nameOf(c: Context<AppEnv>): string {
  return nameFromTarget(c.env.incoming.url ?? '', `${routes.files}/`)
}

function found<T>(file: T | undefined, name: string): T {
  if (!file) throw notFound(name)
  return file
}

function notFound(name: string): Problem {
  return new Problem('file-not-found', `There is no file "${name}".`, { name })
}
