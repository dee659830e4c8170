import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

/** The parts of an OpenAPI document that are read here. */
export interface DeclaredApi {
  paths: Record<string, Record<string, DeclaredOperation>>
  components: { schemas: Record<string, { example?: unknown }> }
}

export interface DeclaredHeader {
  description?: string
  schema: { type?: string }
}

interface DeclaredParameter extends DeclaredHeader {
  name: string
  in: string
}

export interface DeclaredOperation {
  operationId?: string
  parameters?: DeclaredParameter[]
  responses: Record<string, { headers?: Record<string, DeclaredHeader>; content?: Record<string, object> }>
  requestBody?: { required?: boolean; content: Record<string, { schema?: object }> }
  security?: object[]
}

/** Checks responses against the declaration of their route in the API document. */
export function openShapes(document: DeclaredApi) {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, 'api')
  const pointer = (...segments: string[]) =>
    segments.map((segment) => encodeURIComponent(segment.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
  const compiled = new Map<string, ValidateFunction>()
  const validatorAt = (path: string) => {
    const validator = compiled.get(path) ?? ajv.compile({ $ref: `api#/${path}` })
    compiled.set(path, validator)
    return validator
  }

  return {
    /** Describes the difference from the declaration; undefined if there is none. `route` is written like `GET /files/{name}`. */
    async faultOf(route: string, answer: Response): Promise<string | undefined> {
      const [method = '', path = ''] = route.split(' ')
      const operation = document.paths[path]?.[method.toLowerCase()]
      if (!operation) return `${route} is not declared`
      const declared = operation.responses[String(answer.status)]
      if (!declared) return `${route} does not declare ${answer.status}: ${await answer.text()}`
      const undescribed = undescribedIn(answer, declared.headers)
      if (undescribed) return `${route} ${answer.status} does not describe its header ${undescribed}`
      const body = await answer.text()
      const type = answer.headers.get('content-type')?.replace(/;.*/, '') ?? null
      if (!declared.content) return body === '' ? undefined : `${route} ${answer.status} has a body: ${body}`
      if (type === null) return `${route} ${answer.status} has no content type`
      if (!declared.content[type]) {
        // A file has the type that it was uploaded with.
        return declared.content['application/octet-stream'] ? undefined : `${route} ${answer.status} answers ${type}`
      }
      if (!/[/+]json$/.test(type)) return undefined
      const at = pointer(
        'paths',
        path,
        method.toLowerCase(),
        'responses',
        String(answer.status),
        'content',
        type,
        'schema',
      )
      const validate = validatorAt(at)
      return validate(JSON.parse(body))
        ? undefined
        : `${route} ${answer.status}: ${ajv.errorsText(validate.errors)} in ${body}`
    },

    /** Describes the error in the example of a schema. */
    faultOfExample(name: string): string | undefined {
      const { example } = document.components.schemas[name] ?? {}
      const validate = validatorAt(pointer('components', 'schemas', name))
      return example === undefined || validate(example) ? undefined : `${name}: ${ajv.errorsText(validate.errors)}`
    },
  }
}

/** The first header of an answer that is one of ours, of tus or of files, and that its operation does not describe. */
function undescribedIn(answer: Response, described: Record<string, DeclaredHeader> = {}): string | undefined {
  const names = new Set(Object.keys(described).map((name) => name.toLowerCase()))
  return [...answer.headers.keys()].find((name) => needsWords.test(name) && !names.has(name))
}

const needsWords =
  /^(filejobs-.*|tus-.*|upload-.*|etag|last-modified|location|.*-digest|accept-ranges|content-(range|disposition)|retry-after|set-cookie|www-authenticate)$/
