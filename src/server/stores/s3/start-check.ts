import { randomUUID } from 'node:crypto'
import { Problem } from '../../../protocol/problems.js'
import { type Bucket, sentBytesOf } from './bucket.js'
import { BucketError, isMissingKey } from './bucket-errors.js'

/**
 * Writes an object, reads a range of it, removes it, and looks whether it is missing then. Throws, with the reason in words and
 * what to do, if a server cannot use this bucket. A server needs no conditional writes and no lists.
 */
export async function checkBucket(bucket: Bucket): Promise<void> {
  const key = `check/${randomUUID()}`
  const content = `filejobs ${key}`
  try {
    await bucket.put(key, sentBytesOf(content))
    try {
      if ((await read(bucket, key, 9)) !== key) throw new Error('a range of an object has other bytes than it was sent')
    } finally {
      await bucket.delete(key)
    }
    await refuseLeft(bucket, key)
  } catch (error) {
    const message = `The bucket of --bucket cannot be used: ${reasonOf(error)}.`
    throw new Problem('storage-unavailable', message, {}, { cause: error })
  }
}

async function read(bucket: Bucket, key: string, offset: number): Promise<string> {
  const bytes = Buffer.alloc(key.length)
  const download = await bucket.get(key, { offset, length: bytes.length })
  await download.read(bytes)
  return String(bytes)
}

async function refuseLeft(bucket: Bucket, key: string): Promise<void> {
  try {
    await read(bucket, key, 0)
  } catch (error) {
    if (isMissingKey(error)) return
    const cause = causeOf(error)
    const isRefused = cause instanceof BucketError && cause.status === 403
    throw isRefused ? new Error('for a missing object it answers 403: the keys must allow s3:ListBucket, too') : error
  }
  throw new Error('an object that was removed can still be read')
}

function causeOf(error: unknown): unknown {
  return error instanceof Problem ? error.cause : error
}

function reasonOf(error: unknown): string {
  const cause = causeOf(error)
  if (cause instanceof BucketError) {
    const advice = cause.code === '' ? unlikeS3(cause.status) : advices[cause.code]
    return advice ?? cause.message.replace(/\.$/, '')
  }
  if (!(cause instanceof Error)) return String(cause)
  const { code = '', message } = cause as NodeJS.ErrnoException
  if (/CERT|SIGNATURE/.test(code)) {
    return `its certificate is not trusted (${message}): name its authority in NODE_EXTRA_CA_CERTS`
  }
  return advices[code] ?? `${message || code}`
}

function unlikeS3(status: number): string | undefined {
  if (status === 403) return advices.AccessDenied
  return `what answers at its endpoint is no S3 server (status ${status}): is the port right, and http or https?`
}

const advices: Record<string, string | undefined> = {
  NoSuchBucket: 'it does not exist: create it first',
  AccessDenied: 'the keys do not allow to write, read and remove objects in it',
  InvalidAccessKeyId: 'the server does not know the key of AWS_ACCESS_KEY_ID',
  XAdminUserNotFound: 'the server does not know the key of AWS_ACCESS_KEY_ID',
  SignatureDoesNotMatch: 'AWS_SECRET_ACCESS_KEY is not the secret of AWS_ACCESS_KEY_ID',
  ExpiredToken: 'AWS_SESSION_TOKEN has expired',
  RequestTimeTooSkewed: 'the clocks of this machine and of the bucket differ too much: set them',
  AuthorizationHeaderMalformed: 'it is in another region: add "region=…" to its address',
  PermanentRedirect: 'it is in another region: add "region=…" to its address',
  ECONNREFUSED: 'nothing listens at its endpoint: is the server running, and the port right?',
  ENOTFOUND: 'there is no host with the name of its endpoint',
  EPROTO: 'its endpoint does not speak TLS: give it with http://',
  ERR_SSL_WRONG_VERSION_NUMBER: 'its endpoint does not speak TLS: give it with http://',
}
