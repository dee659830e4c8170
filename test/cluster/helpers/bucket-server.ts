import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import http from 'node:http'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import aws4 from 'aws4'
import { eventually } from '../../helpers/eventually.js'
import { freePort } from '../../helpers/ports.js'
import { hasProgram } from '../../helpers/system-programs.js'
import { removeFolder } from '../../helpers/temporary-folder.js'

export interface BucketServer {
  origin: string
  /** Its objects are files below this folder. */
  folder: string
  close(): Promise<void>
}

/** The bucket of `BucketServer`, and the keys to it. */
export const testBucket = 'filejobs-test'
export const testCredentials = { accessKeyId: 'test', secretAccessKey: 'testtesttest' }

/** Where `versitygw` is; undefined if it is missing. `go install` puts it in a folder that may not be in the path. */
export function findVersitygw(): string | undefined {
  const folders = [process.env.GOBIN, process.env.GOPATH && join(process.env.GOPATH, 'bin'), join(homedir(), 'go/bin')]
  const found = folders.flatMap((folder) => (folder ? join(folder, 'versitygw') : [])).find((path) => existsSync(path))
  return found ?? (hasProgram('versitygw') ? 'versitygw' : undefined)
}

/** An S3 server with an empty bucket. */
export async function startVersitygw(program: string): Promise<BucketServer> {
  const folder = await mkdtemp(join(tmpdir(), 'filejobs-bucket-'))
  const data = join(folder, 'data')
  await mkdir(data)
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const server = spawn(
    'sh',
    ['-c', untilEndOfInput, 'sh', program, '--port', address, '--quiet', '--keep-alive', 'posix', data],
    {
      cwd: folder,
      env: {
        ...process.env,
        ROOT_ACCESS_KEY: testCredentials.accessKeyId,
        ROOT_SECRET_KEY: testCredentials.secretAccessKey,
      },
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  )
  await eventually('the S3 server has a bucket', () => createBucket(port))
  return {
    origin: `http://${address}`,
    folder: join(data, testBucket),
    async close() {
      const exited = once(server, 'exit')
      server.stdin!.end()
      await exited
      await removeFolder(folder)
    },
  }
}

/** So that it ends with the tests, also if they are killed. */
const untilEndOfInput = '"$@" & server=$!; cat; kill $server; wait $server'

async function createBucket(port: number): Promise<boolean> {
  const headers = { Host: `127.0.0.1:${port}` }
  const signed = aws4.sign({ service: 's3', method: 'PUT', path: `/${testBucket}`, headers }, testCredentials)
  const request = http.request({ ...signed, hostname: '127.0.0.1', port })
  try {
    request.end()
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.resume()
    return response.statusCode === 200
  } catch {
    return false
  }
}
