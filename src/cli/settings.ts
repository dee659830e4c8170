import { readFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { join } from 'node:path'
import { isMissing } from '../protocol/file-errors.js'
import { invalidOption } from '../protocol/options/option-values.js'
import { Failure } from './exit-codes.js'

export const defaultServer = 'http://127.0.0.1:8080'

/** The folder for the client's settings: `$XDG_CONFIG_HOME/filejobs` or the platform's equivalent. */
export async function configFolder(): Promise<string> {
  const { default: envPaths } = await import('env-paths')
  return envPaths('filejobs', { suffix: '' }).config
}

/**
 * The folder for state that survives a run but is specific to the machine: `$XDG_STATE_HOME/filejobs` or the platform's
 * equivalent.
 */
export async function stateFolder(): Promise<string> {
  const { default: envPaths } = await import('env-paths')
  const paths = envPaths('filejobs', { suffix: '' })
  // On Linux this is the state folder; elsewhere it is a log folder that other programs may clear.
  return platform() === 'linux' ? paths.log : paths.data
}

/** The folder for what can be computed again: `$XDG_CACHE_HOME/filejobs` or the platform's equivalent. */
export async function cacheFolder(): Promise<string> {
  const { default: envPaths } = await import('env-paths')
  return envPaths('filejobs', { suffix: '' }).cache
}

/**
 * The URL of the server, without a trailing slash: the option, `FILEJOBS_SERVER`, `server` in `config.json`, or the
 * default, in this order. Throws a Failure that names the source if it is not an http(s) URL.
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
  if (typeof server !== 'string') throw new Failure('wrongUse', `${file}: "server" must be a string.`)
  return parseServer(server, file)
}

/** Normalizes a server's URL, so that it can be used as a key. Throws `invalid-request`, naming `source`. */
export function parseServer(text: string, source: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw invalidOption(source, `must be the URL of a server, such as ${defaultServer}, not "${text}"`)
  }
  if (url.username || url.password) {
    throw invalidOption(source, 'must not hold a password: run "filejobs login" instead')
  }
  return url.origin + url.pathname.replace(/\/+$/, '')
}

/** Parses a JSON object; undefined if the text is not one. */
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
    if (isMissing(error)) return {}
    throw error
  }
  const config = parseObject(text)
  if (!config) throw new Failure('wrongUse', `${file} is damaged: it must hold a JSON object.`)
  return config
}
