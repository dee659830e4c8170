/** `Repr-Digest` and `Content-Digest` hold byte sequences in base64 between colons (RFC 9530, RFC 8941). */
export function formatDigest(sha256: Buffer): string {
  return `sha-256=:${sha256.toString('base64')}:`
}

/** The SHA-256 of a digest field in hexadecimal, or undefined where it names none. */
export function findSha256(field: string | string[] | undefined): string | undefined {
  const text = Array.isArray(field) ? field.join(',') : field
  const match = /(?:^|[,\s])sha-256=:([A-Za-z0-9+/=]+):/.exec(text ?? '')
  if (!match) return undefined
  const hex = Buffer.from(match[1]!, 'base64').toString('hex')
  return hex.length === 64 ? hex : undefined
}
