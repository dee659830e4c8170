import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { uploadedSchema } from '../../protocol/files.js'
import { receiptsSchema } from '../../protocol/jobs.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import type { Jobs } from '../jobs/jobs.js'
import { answerHeaders } from '../openapi/answer-headers.js'
import { fileRecord, problemResponses, receiptsOf } from '../openapi/answers.js'
import { binarySchema } from '../openapi/binary-body.js'
import { formHeaders } from '../openapi/request-headers.js'
import type { AppEnv } from '../routing/app-env.js'
import { type FormUploadServices, receiveFormUpload } from './bodies/form-upload.js'

export interface UploadRouteServices extends FormUploadServices {
  jobs: Jobs
}

/** `POST /upload` receives files by form; `POST /upload/stop` stops all running uploads of the account. */
export function uploadRoutes({ uploads, files, jobs }: UploadRouteServices) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath({
    method: 'post',
    path: routes.upload,
    summary: 'Upload files by form',
    description: 'Every file part is stored under its file name, and published once all have arrived.',
    request: {
      headers: formHeaders,
      body: { content: { 'multipart/form-data': { schema: formSchema } } },
    },
    responses: {
      201: {
        description: 'Published',
        headers: answerHeaders(jobHeader),
        content: { 'application/json': { schema: uploadedSchema } },
      },
      ...problemResponses(400, 401, 403, 408, 409, 412, 413, 415, 422, 507),
    },
  })
  app.post(routes.upload, async (c) => {
    const identity = c.get('identity')
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
      return c.json(receiptsOf(await jobs.stopAll('upload', c.get('identity').account)), 200)
    },
  )
  return app
}

const formSchema = z.object({
  file: z.array(binarySchema).meta({ description: 'one or several; the field may have any name' }),
})
