import { closeSync, openSync } from 'node:fs'
import { openPasswords } from '../../dist/server/auth/passwords.js'

/** Takes every descriptor of this process, whose limit the test has lowered. */
function takeAll() {
  const taken = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch (error) {
    if (error.code !== 'EMFILE') throw error
    return taken
  }
}

// The workers start when the passwords are opened: here, without a descriptor for their code.
const taken = takeAll()
const passwords = openPasswords({ cost: 4 })
const without = await passwords.verify('x', null).catch(({ code }) => code)
for (const descriptor of taken) closeSync(descriptor)
const again = await passwords.verify('x', null).catch(({ code }) => code)
await passwords.close()
process.stdout.write(JSON.stringify({ without, again }))
