import { makeReady } from './ready.mjs'

/**
 * `npm start`: makes ready what is missing, then serves in this very process, so that a signal meets one program.
 * Arguments are passed on: `npm start -- --port 9000`.
 */
try {
  makeReady()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
tellWhatIsNext(process.stdout)
process.argv = [process.execPath, 'filejobs', 'serve', ...process.argv.slice(2)]
await import('../bin/filejobs.js')

/** Adds what to type next after the line with the URL, which stays the first. */
function tellWhatIsNext(output) {
  const write = output.write.bind(output)
  output.write = (chunk, ...rest) => {
    const taken = write(chunk, ...rest)
    const url = /^Listening on (\S+)\n/.exec(String(chunk))?.[1]
    if (url) {
      output.write = write
      write(nextSteps(url))
    }
    return taken
  }
}

function nextSteps(url) {
  const command = 'node bin/filejobs.js'
  const server = url === 'http://127.0.0.1:8080' ? '' : ` --server ${url}`
  return `
Next, in another terminal (after "npm install -g filejobs" it is just "filejobs"):
  ${command} signup alice${server}        make an account
  ${command} upload README.md${server}    bring a file in
  ${command} ls${server}                  see what is there
  ${command} --help
Ctrl-C here stops the server.
`
}
