// Floods a server from another process, so that the test measures only the server: `node flood.mjs PORT CONNECTIONS FIRST REST TIMES`.
import net from 'node:net'

const [port, connections, first, rest, times] = process.argv.slice(2)
const bytes = Buffer.from(first + rest.repeat(Number(times)))
let open = Number(connections)
for (let count = 0; count < Number(connections); count++) {
  const socket = net.connect(Number(port), '127.0.0.1', () => socket.write(bytes))
  socket.on('error', () => {})
  socket.resume().on('close', () => {
    open--
    if (open === 0) console.log('closed')
  })
}
