// Sends COUNT uploads at RATE bytes per second each, of accounts in turn, without a length, until it is killed; prints "sending" once all have
// been answered nothing wrong for a second. A process of its own, so that its work is not the bench's.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const [url, tokenList, count, bytesPerSecond, prefix] = process.argv.slice(2)
const tokens = tokenList.split(',')
const { hostname, port } = new URL(url)
const tickMs = 250
const startEveryMs = 20
const content = Buffer.alloc(Math.round((Number(bytesPerSecond) * tickMs) / 1000), 'filejobs ')
const chunk = Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from('\r\n')])

for (let index = 0; index < Number(count); index += 1) {
  // All at the same instant would measure how claims wait for each other.
  await sleep(startEveryMs)
  send(index)
}
setTimeout(() => console.log('sending'), 1000)

function send(index) {
  const socket = connect({ host: hostname, port: Number(port) })
  socket.write(
    `PUT /files/${prefix}-${index} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${tokens[index % tokens.length]}\r\n` +
      `Transfer-Encoding: chunked\r\n\r\n`,
  )
  // Spread over the tick, as independent senders would be. One that is held back skips a turn.
  let timer = setTimeout(
    () => {
      timer = setInterval(() => socket.writableLength < chunk.length && socket.write(chunk), tickMs)
    },
    (tickMs * index) / Number(count),
  )
  socket.on('data', (answer) => {
    // An interim response, byte by byte, of an upload that is held for a while.
    if (!/HTTP\/1.1 (?!102)/.test(String(answer))) return
    if (!String(answer).includes('HTTP/1.1 503')) end(`an upload was answered early: ${answer}`)
    // A server whose claims do not all have their turn in time says so.
    clearTimeout(timer)
    socket.removeAllListeners('error')
    socket.on('error', () => {}).destroy()
    setTimeout(() => send(index), 1000)
  })
  socket.on('error', (error) => end(`an upload was cut: ${error.message}`))
}

function end(complaint) {
  console.error(complaint)
  process.exit(1)
}
