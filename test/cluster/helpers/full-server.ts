import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { onTestFinished } from 'vitest'
import { eventually } from '../../helpers/eventually.js'

/** The origin of a server that takes no more connections, and refuses none: they are never established. */
export async function startFullServer(): Promise<string> {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(String(line))
  child.kill('SIGSTOP')
  await eventually('the queue of connections is full', () => isUnanswered(port))
  return `http://127.0.0.1:${port}`
}

/** Whether another connection is not established at once. */
async function isUnanswered(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  return Promise.race([
    once(socket, 'connect').then(() => false),
    once(AbortSignal.timeout(500), 'abort').then(() => true),
  ])
}

const program = `
  const server = require('node:net').createServer()
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.stdout.write(String(server.address().port)))`
