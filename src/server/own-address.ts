import { networkInterfaces } from 'node:os'

/** The URL at which other machines reach this server. A host that stands for all addresses is replaced by the first of them. */
export function ownAddress(url: string): string {
  const { hostname, protocol, port } = new URL(url)
  if (!anyHosts.includes(hostname)) return new URL(url).origin
  const external = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const address = external.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1'
  return `${protocol}//${address}:${port}`
}

/** A host as it stands in a URL. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

const anyHosts = ['0.0.0.0', '[::]']
