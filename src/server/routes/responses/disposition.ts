/** RFC 6266: a plain name for old clients, the actual one in UTF-8. */
export function dispositionOf(name: string): string {
  const base = name.slice(name.lastIndexOf('/') + 1)
  const plain = base.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(base).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
