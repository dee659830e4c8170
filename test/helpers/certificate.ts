import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A self-signed certificate for the tests of a file; needs openssl. */
export function makeCertificate(): { certFile: string; keyFile: string } {
  const folder = mkdtempSync(join(tmpdir(), 'filejobs-tls-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile]
  const subject = ['-subj', '/CN=127.0.0.1', '-days', '1', '-out', certFile]
  execFileSync('openssl', ['req', '-x509', ...key, ...subject], { stdio: 'ignore' })
  return { certFile, keyFile }
}
