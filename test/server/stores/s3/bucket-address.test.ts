import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseBucketAddress } from '../../../../dist/server/stores/s3/bucket-address.js'
import { findCredentials } from '../../../../dist/server/stores/s3/credentials.js'
import { temporaryFolder } from '../../../helpers/temporary-folder.js'

describe('the address of a bucket', () => {
  it('names the bucket, a prefix, an endpoint and a region', () => {
    const found = parseBucketAddress('s3://files/a/b/?endpoint=http://127.0.0.1:9000&region=eu-west-1')
    expect(found).toMatchObject({ bucket: 'files', prefix: 'a/b/', root: '/files/', region: 'eu-west-1' })
    expect(found.origin.href).toBe('http://127.0.0.1:9000/')
  })

  it('without an endpoint is one of Amazon', () => {
    const found = parseBucketAddress('s3://files?region=eu-west-1')
    expect(found).toMatchObject({ prefix: '', root: '/' })
    expect(found.origin.href).toBe('https://files.s3.eu-west-1.amazonaws.com/')
    expect(parseBucketAddress('s3://my.files')).toMatchObject({ root: '/my.files/', region: 'us-east-1' })
  })

  for (const [text, message] of [
    ['files', 'does not start with "s3://"'],
    ['https://files', 'does not start with "s3://"'],
    ['s3://key:secret@files', 'set AWS_ACCESS_KEY_ID'],
    ['s3://ab', '3 to 63 lower-case letters'],
    ['s3://Files_1', '3 to 63 lower-case letters'],
    ['s3://files/a b', 'a prefix has letters'],
    ['s3://files?endpoint=minio:9000', 'the endpoint "minio:9000" is no address'],
    ['s3://files?endpoint=http://host/path', 'is no address'],
    ['s3://files?region=', '"" is no region'],
    ['s3://files?acl=public', 'there is no parameter "acl"'],
  ] as const) {
    it(`is refused: ${text}`, () => {
      expect(() => parseBucketAddress(text)).toThrow(message)
    })
  }
})

describe('the keys to a bucket', () => {
  it('come from the environment, with a token if there is one', async () => {
    const variables = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' }
    expect(await findCredentials(variables)).toEqual({ accessKeyId: 'id', secretAccessKey: 'secret' })
    expect(await findCredentials({ ...variables, AWS_SESSION_TOKEN: 'token' })).toMatchObject({ sessionToken: 'token' })
    await expect(findCredentials({ AWS_ACCESS_KEY_ID: 'id' })).rejects.toThrow('only one of them is set')
  })

  it('come from a profile of the shared file otherwise', async () => {
    const path = join(await temporaryFolder(), 'credentials')
    const variables = { AWS_SHARED_CREDENTIALS_FILE: path }
    await expect(findCredentials(variables)).rejects.toThrow(`or create ${path}`)
    await writeFile(path, '[default]\naws_access_key_id = a\naws_secret_access_key=b\n\n[other]\naws_access_key_id=c\n')
    expect(await findCredentials(variables)).toEqual({ accessKeyId: 'a', secretAccessKey: 'b' })
    await expect(findCredentials({ ...variables, AWS_PROFILE: 'other' })).rejects.toThrow('in [other]')
    await writeFile(path, '[default]\naws_access_key_id=a\naws_secret_access_key=b\naws_session_token=t\n')
    expect(await findCredentials(variables)).toMatchObject({ sessionToken: 't' })
  })
})
