import { backendOf, variablesOf } from './backend.js'
import { takeOverJobs } from './dead-servers.js'
import { cleanEnvironment, type Running, startProgram } from './program.js'
import { temporaryFolder } from './temporary-folder.js'

export interface ServeProcess extends Running {
  readonly url: string
  readonly dataFolder: string
}

export interface ServeOptions {
  args?: readonly string[]
  dataFolder?: string
  env?: Record<string, string>
  /** A program that runs it, such as one that sets limits. */
  command?: readonly string[]
}

export const adminPassword = 'the admin of this test'

/** Starts `filejobs serve` on a free port, with a cheap bcrypt; the account `admin:admin` has `adminPassword`. */
export async function startServe(options: ServeOptions = {}): Promise<ServeProcess> {
  const home = await temporaryFolder()
  const dataFolder = options.dataFolder ?? `${home}/data`
  const args = ['serve', '--port', '0', '--data', dataFolder, '--bcrypt-cost', '4', ...(options.args ?? [])]
  const backend = variablesOf(await backendOf(dataFolder))
  await takeOverJobs(dataFolder)
  const env = { ...cleanEnvironment(home), FILEJOBS_ADMIN_PASSWORD: adminPassword, ...backend, ...options.env }
  const running = startProgram(args, { env, ...(options.command ? { command: options.command } : {}) })
  const [, url] = await running.says(/^Listening on (http\S+)\n/)
  return Object.assign(running, { url: url!, dataFolder })
}
