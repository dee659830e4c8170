/**
 * Decodes bytes of a client as text. Undefined if they are not UTF-8: replacement characters would make different
 * names, or passwords, equal.
 */
export function decodeUtf8(bytes: Uint8Array, charset = 'utf-8'): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    // A RangeError means an unknown charset.
    if (error instanceof TypeError || error instanceof RangeError) return undefined
    throw error
  }
}
