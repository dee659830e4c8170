// express 5 + formidable 3, as its README has it: a form's file is streamed to a folder. Prints its port.
import express from 'express'
import formidable from 'formidable'

const uploadDir = process.argv[2]
const app = express()
app.post('/upload', async (request, response) => {
  const form = formidable({ uploadDir, maxFileSize: 2 ** 40, maxTotalFileSize: 2 ** 40 })
  const [, files] = await form.parse(request)
  response.status(201).json({ files: Object.values(files).flatMap((list) => list.map((file) => file.size)) })
})
const listener = app.listen(0, '127.0.0.1', () => console.log(listener.address().port))
listener.requestTimeout = 0
