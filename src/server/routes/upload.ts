import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { uploadedSchema } from '../../protocol/files.js'
import { receiptsSchema } from '../../protocol/jobs.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import { requirePermission } from '../auth/permissions.js'
import { fileRecord, problemResponses, receiptsOf } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { receiveFormUpload } from '../http/form-upload.js'
import { jobHeaders } from '../http/request-headers.js'
import type { Jobs } from '../jobs/jobs.js'
import { accountName } from '../stores/accounts.js'
import type { FileStore } from '../stores/files.js'
import type { Uploads } from '../transfers/uploads.js'

/** `POST /upload` takes files by form; `POST /upload/stop` stops every upload of the account that runs. */
export function uploadRoutes({ uploads, files, jobs }: { uploads: Uploads; files: FileStore; jobs: Jobs }) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath({
    method: 'post',
    path: routes.upload,
    summary: 'Upload files by form',
    description: 'Every file part is stored under its file name, and published once all have arrived.',
    request: {
      headers: jobHeaders,
      body: { content: { 'multipart/form-data': { schema: z.object({ file: z.any() }) } } },
    },
    responses: {
      201: { description: 'Published', content: { 'application/json': { schema: uploadedSchema } } },
      ...problemResponses(400, 401, 403, 408, 409, 413, 415, 507),
    },
  })
  app.post(routes.upload, async (c) => {
    const identity = c.get('identity')
    requirePermission(identity, 'upload')
    const { files: published, job } = await receiveFormUpload(c.env, identity, { uploads, files })
    const names = published.map((file) => file.name).join(', ')
    return c.json({ message: `Uploaded ${names}.`, files: published.map(fileRecord) }, 201, { [jobHeader]: job.id })
  })

  app.openapi(
    createRoute({
      method: 'post',
      path: routes.uploadStop,
      summary: 'Stop my running uploads',
      responses: {
        200: { description: 'Stopped', content: { 'application/json': { schema: receiptsSchema } } },
        ...problemResponses(401, 404, 409),
      },
    }),
    async (c) => {
      const account = accountName(c.get('identity').account)
      return c.json(receiptsOf(await jobs.stopAll('upload', account, account)), 200)
    },
  )
  return app
}
