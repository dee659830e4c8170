import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { Problem } from '../../protocol/problems.js'
import { tlsPolicy } from './tls-policy.js'

/** The files of a certificate with its chain, and of its key, in PEM. */
export interface TlsFiles {
  certFile: string
  keyFile: string
}

/** Their contents, which belong together. */
export interface TlsPair {
  cert: Buffer
  key: Buffer
  /** When the certificate expires. */
  expiresAt: Date
}

/** Reads the files. Throws `invalid-request`, which names the file, if one cannot be read or they do not belong together. */
export function readTlsPair({ certFile, keyFile }: TlsFiles): TlsPair {
  const [cert, key] = [readPem(certFile), readPem(keyFile)]
  try {
    createSecureContext({ ...tlsPolicy, cert, key })
    return { cert, key, expiresAt: new Date(new X509Certificate(cert).validTo) }
  } catch (error) {
    const { reason, message } = error as Error & { reason?: string }
    const fault = `The certificate ${certFile} and the key ${keyFile} cannot be used: ${reason ?? message}.`
    throw new Problem('invalid-request', fault, {}, { cause: error })
  }
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Problem('invalid-request', `Cannot read ${file}: ${(error as Error).message}`, {}, { cause: error })
  }
}
