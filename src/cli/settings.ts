import { readFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { join } from 'node:path'
import { errorCode, Failure } from './exit-codes.js'

export const defaultServer = 'http://127.0.0.1:8080'

/** The folder for what the client remembers: `$XDG_CONFIG_HOME/filejobs` or the system's counterpart. */
export async function configFolder(): Promise<string> {
  const { default: envPaths } = await import('env-paths')
  return envPaths('filejobs', { suffix: '' }).config
}

/** The folder for what outlives a run but not the machine: `$XDG_STATE_HOME/filejobs` or the system's counterpart. */
export async function stateFolder(): Promise<string> {
  const { default: envPaths } = await import('env-paths')
  const paths = envPaths('filejobs', { suffix: '' })
  // On Linux this is the state folder; elsewhere it is one for logs that others may clear.
  return platform() === 'linux' ? paths.log : paths.data
}

/**
 * The server to talk to, without a slash at its end: the option, else `FILEJOBS_SERVER`, else `server` in `config.json`,
 * else the default. Throws a Failure that names the place when it is not an http(s) URL.
 */
export async function findServer(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): Promise<string> {
  if (option !== undefined) return parseServer(option, '--server')
  if (env.FILEJOBS_SERVER) return parseServer(env.FILEJOBS_SERVER, 'FILEJOBS_SERVER')
  const file = join(folder, 'config.json')
  const { server } = await readConfig(file)
  if (server === undefined) return defaultServer
  if (typeof server !== 'string') throw new Failure('wrongUse', `${file}: "server" must be a text.`)
  return parseServer(server, file)
}

/** Brings a server's URL into one form, so that it can be a key. Throws a Failure naming `source`. */
export function parseServer(text: string, source: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Failure('wrongUse', `${source}: "${text}" is not a server's URL; write it like ${defaultServer}.`)
  }
  if (url.username || url.password) {
    throw new Failure('wrongUse', `${source}: a URL must not hold a password; run "filejobs login" instead.`)
  }
  return url.origin + url.pathname.replace(/\/+$/, '')
}

/** The object that a JSON text holds, or undefined when it holds none. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

async function readConfig(file: string): Promise<Record<string, unknown>> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return {}
    throw error
  }
  const config = parseObject(text)
  if (!config) throw new Failure('wrongUse', `${file} is damaged: it must hold a JSON object.`)
  return config
}
