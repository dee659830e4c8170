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
  const socket = connect({ host: hostname, port: Number(port) })
  socket.write(
    `PUT /files/${prefix}-${index} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${tokens[index % tokens.length]}\r\n` +
      `Transfer-Encoding: chunked\r\n\r\n`,
  )
  socket.on('data', (answer) => {
    // An interim response, byte by byte, of an upload that is held for a while.
    if (!/HTTP\/1.1 (?!102)/.test(String(answer))) return
    console.error(`an upload was answered early: ${answer}`)
    process.exit(1)
  })
  socket.on('error', (error) => {
    console.error(`an upload was cut: ${error.message}`)
    process.exit(1)
  })
  // Spread over the tick, as independent senders would be. One that is held back skips a turn.
  setTimeout(
    () => setInterval(() => socket.writableLength < chunk.length && socket.write(chunk), tickMs),
    (tickMs * index) / Number(count),
  )
}
setTimeout(() => console.log('sending'), 1000)
