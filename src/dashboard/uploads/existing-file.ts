import { filePath } from '../../protocol/routes.js'

/**
 * The headers of the file that has the name now; null without an answer, and if it is not wanted any more when its turn comes. Few
 * files are looked at once: a browser opens six connections to a server, and what a person does next needs one.
 */
export async function lookAtFile(name: string, isWanted = () => true): Promise<Response | null> {
  if (looking < maxAtOnce) looking += 1
  else await new Promise<void>((resolve) => waiting.push(resolve))
  try {
    return isWanted() ? await fetch(filePath(name), { method: 'HEAD', cache: 'no-store' }).catch(() => null) : null
  } finally {
    const next = waiting.shift()
    if (next) next()
    else looking -= 1
  }
}

let looking = 0
const waiting: (() => void)[] = []
const maxAtOnce = 3
