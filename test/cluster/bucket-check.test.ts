import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { checkBucket } from '../../dist/server/stores/s3/start-check.js'
import { makeCertificate } from '../helpers/certificate.js'
import { freePort } from '../helpers/ports.js'
import { hasProgram } from '../helpers/system-programs.js'
import { hasBucket, openTestBucket, type TestBucketOptions } from './helpers/bucket.js'
import { type BucketFault, startBucketProxy } from './helpers/bucket-proxy.js'
import { testCredentials } from './helpers/bucket-server.js'
import { listening } from './helpers/listening.js'

/** What is wrong with a bucket; empty if nothing is. */
async function faultOf(options: TestBucketOptions): Promise<string> {
  const { bucket } = openTestBucket({ retryMs: 0, ...options })
  return checkBucket(bucket).then(
    () => '',
    (error) => error.message,
  )
}

describe.skipIf(!hasBucket)('a bucket', () => {
  it('is accepted if it can be written, read and removed from, and nothing is left', async () => {
    const { bucket, keys } = openTestBucket()
    await checkBucket(bucket)
    expect(keys()).toEqual([])
  })

  it('is refused with what to do about the keys, the name, and the clock', async () => {
    const wrong = { secretAccessKey: 'wrong' }
    expect(await faultOf({ credentials: { ...testCredentials, ...wrong } })).toBe(
      'The bucket of --bucket cannot be used: AWS_SECRET_ACCESS_KEY is not the secret of AWS_ACCESS_KEY_ID.',
    )
    expect(await faultOf({ credentials: { ...testCredentials, accessKeyId: 'other' } })).toContain(
      'does not know the key',
    )
    expect(await faultOf({ name: 'no-such-bucket' })).toContain('it does not exist: create it first')
    await expect(openTestBucket({ name: 'no-such-bucket' }).bucket.delete('o/1')).rejects.toMatchObject({
      code: 'storage-unavailable',
      cause: { code: 'NoSuchBucket' },
    })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
    onTestFinished(() => void vi.useRealTimers())
    expect(await faultOf({})).toContain('the clocks of this machine and of the bucket differ too much')
  })

  it('is refused where no server is, or none of S3', async () => {
    expect(await faultOf({ origin: `http://127.0.0.1:${await freePort()}` })).toContain(
      'nothing listens at its endpoint',
    )
    const page = http.createServer((_, response) => response.writeHead(404).end('<html>No such page'))
    expect(await faultOf({ origin: await listening(page, 'http') })).toContain('no S3 server (status 404)')
    const polite = http.createServer((_, response) => response.end('welcome'))
    expect(await faultOf({ origin: await listening(polite, 'http') })).toContain('7 bytes instead of')
  })

  it.skipIf(!hasProgram('openssl'))('is refused with what to do about TLS', async () => {
    const plain = http.createServer((_, response) => response.end())
    const origin = (await listening(plain, 'http')).replace('http:', 'https:')
    expect(await faultOf({ origin })).toContain('does not speak TLS: give it with http://')
    const { certFile, keyFile } = makeCertificate()
    const own = https.createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) })
    const fault = await faultOf({ origin: await listening(own, 'https') })
    expect(fault).toMatch(/certificate is not trusted \(self-signed certificate\): .* NODE_EXTRA_CA_CERTS/)
  })

  it('is refused where keys may do something only', async () => {
    const proxy = await startBucketProxy()
    const steps: [(BucketFault | null)[], string][] = [
      [['forbidden'], 'the keys do not allow to write, read and remove'],
      [[null, 'forbidden'], 'the keys do not allow to write, read and remove'],
      [[null, 'other-range'], 'a range of an object has other bytes'],
      [[null, null, 'ignored'], 'an object that was removed can still be read'],
      [[null, null, null, 'forbidden'], 'the keys must allow s3:ListBucket, too'],
      [[null, null, null, 'busy'], 'SlowDown'],
    ]
    for (const [faults, message] of steps) {
      proxy.faults = faults
      expect(await faultOf({ origin: proxy.origin })).toContain(message)
    }
  })
})
