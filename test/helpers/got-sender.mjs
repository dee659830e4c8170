// Uploads with got again and again: node got-sender.mjs URL TOKEN fast|slow TIMES. Says the job's id, then the answer.
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import got from 'got'

const [url, token, pace, times] = process.argv.slice(2)
for (let time = 1; time <= Number(times); time++) {
  const id = randomUUID()
  const answer = got.put(url, {
    body: Readable.from(bytes()),
    headers: { Authorization: `Bearer ${token}`, 'Filejobs-Job': id, 'Content-Length': '2000000000' },
    throwHttpErrors: false,
    retry: { limit: 0 },
  })
  console.log(`upload ${time} ${id}`)
  const said = await answer.then(
    ({ statusCode, body }) => `${statusCode} ${JSON.parse(body).code}`,
    (error) => String(error),
  )
  console.log(`answer ${time} ${said}`)
}

async function* bytes() {
  const chunk = Buffer.alloc(pace === 'fast' ? 1024 ** 2 : 1000, 'x')
  for (let sent = 0; sent < 2_000_000_000; sent += chunk.length) {
    yield chunk
    if (pace === 'slow') await delay(5)
  }
}
