/** Where objects are kept. */
export interface BucketAddress {
  bucket: string
  /** Of all keys; empty, or ends with a slash. */
  prefix: string
  /** Scheme, host and port that requests go to. */
  origin: URL
  /** What precedes the key in the path of a request: `/`, or `/BUCKET/`. */
  root: string
  region: string
}

/** Parses `s3://NAME/PREFIX?endpoint=…&region=…`. Throws an `Error` that says what is wrong with it. */
export function parseBucketAddress(text: string): BucketAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 's3:') throw invalid(text, 'it does not start with "s3://"')
  if (url.username || url.password) throw invalid(text, 'keys do not belong there: set AWS_ACCESS_KEY_ID')
  for (const name of url.searchParams.keys()) {
    if (name !== 'endpoint' && name !== 'region') throw invalid(text, `there is no parameter "${name}"`)
  }
  const bucket = url.host
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw invalid(text, 'the name of a bucket has 3 to 63 lower-case letters, digits, dots and hyphens')
  }
  const path = url.pathname.replace(/^\/|\/$/g, '')
  if (path !== '' && !/^[\w.-]+(?:\/[\w.-]+)*$/.test(path)) {
    throw invalid(text, 'a prefix has letters, digits, ".", "-" and "_" between slashes')
  }
  const region = url.searchParams.get('region') ?? 'us-east-1'
  if (!/^[a-z0-9-]+$/i.test(region)) throw invalid(text, `"${region}" is no region`)
  return { bucket, prefix: path === '' ? '' : `${path}/`, region, ...hostOf(text, bucket, region, url.searchParams) }
}

function hostOf(text: string, bucket: string, region: string, parameters: URLSearchParams) {
  const endpoint = parameters.get('endpoint')
  if (endpoint === null) {
    const host = `s3.${region}.amazonaws.com`
    // The certificate covers one label in front of the host.
    if (bucket.includes('.')) return { origin: new URL(`https://${host}`), root: `/${bucket}/` }
    return { origin: new URL(`https://${bucket}.${host}`), root: '/' }
  }
  const origin = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  const isHost = origin && /^https?:$/.test(origin.protocol) && origin.href === `${origin.origin}/`
  if (!isHost) throw invalid(text, `the endpoint "${endpoint}" is no address such as https://s3.example.com:9000`)
  return { origin, root: `/${bucket}/` }
}

function invalid(text: string, why: string): Error {
  return new Error(`"${text}" is no address of a bucket, such as s3://NAME/PREFIX?endpoint=…&region=…: ${why}.`)
}
