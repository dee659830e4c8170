import { unwatchFile, watchFile } from 'node:fs'
import type { Server } from 'node:https'
import { Problem } from '../../protocol/problems.js'
import { readTlsPair, type TlsFiles, type TlsPair } from './tls-pair.js'
import { tlsPolicy } from './tls-policy.js'

export interface TlsRenewalOptions {
  files: TlsFiles
  /** What the server uses now. */
  pair: TlsPair
  /** How often the files are looked at, in milliseconds; default 2 s. */
  watchMs?: number
  /** Called once new connections get another certificate. */
  onRenewed(pair: TlsPair): void
  /** Called with the reason why new files are not used. */
  onKept(error: unknown): void
}

export interface TlsRenewal {
  /** Reads the files now, as after a change. */
  renew(): void
  close(): void
}

/**
 * Gives new connections the certificate of files that have changed; those that are open keep theirs. Files that cannot be
 * used change nothing. The paths are followed anew each time, because renewals replace symbolic links, be it of a file
 * (certbot) or of a folder above it (Kubernetes), and those are seen by no watch of the files.
 */
export function renewTls(server: Pick<Server, 'setSecureContext'>, options: TlsRenewalOptions): TlsRenewal {
  const { files, watchMs = 2_000, onRenewed, onKept } = options
  let { pair } = options
  let soon: NodeJS.Timeout | undefined

  function renew(): void {
    clearTimeout(soon)
    try {
      const next = readTlsPair(files)
      if (next.cert.equals(pair.cert) && next.key.equals(pair.key)) return
      if (next.expiresAt.getTime() <= Date.now()) throw expired(files, next)
      server.setSecureContext({ ...tlsPolicy, cert: next.cert, key: next.key })
      pair = next
      onRenewed(next)
    } catch (error) {
      onKept(error)
    }
  }

  /** The second file is written a moment after the first one. */
  const renewSoon = () => {
    clearTimeout(soon)
    soon = setTimeout(renew, watchMs / 4).unref()
  }
  const paths = [files.certFile, files.keyFile]
  for (const path of paths) watchFile(path, { interval: watchMs, persistent: false }, renewSoon)

  return {
    renew,
    close() {
      clearTimeout(soon)
      for (const path of paths) unwatchFile(path, renewSoon)
    },
  }
}

function expired({ certFile }: TlsFiles, { expiresAt }: TlsPair): Problem {
  return new Problem('invalid-request', `The certificate ${certFile} has expired at ${expiresAt.toISOString()}.`)
}
