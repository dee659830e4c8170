/** A path as the log has it: without the secret of a share link or an invitation, however it is written, and even if it is invalid. */
export function loggedPath(path: string): string {
  const decoded = path.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  const plain = new URL(`http://host/${decoded.replace(/[\\/]+/g, '/').replace(/^\//, '')}`).pathname
  const [prefix] = /^\/(?:s|r|invitations)\/(?=.)/i.exec(plain) ?? []
  return prefix === undefined ? path.slice(0, maxPathLength) : `${prefix.toLowerCase()}…`
}

const maxPathLength = 500
