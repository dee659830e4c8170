import { parentPort } from 'node:worker_threads'
import bcrypt from 'bcryptjs'

export type PasswordTask =
  | { readonly do: 'hash'; readonly password: string; readonly cost: number }
  | {
      readonly do: 'compare'
      readonly password: string
      /** null for an account that does not exist. */
      readonly hash: string | null
      /** The cost whose time the check takes, if the hash has a lower one. */
      readonly cost: number
    }

parentPort?.on('message', (task: PasswordTask) => parentPort?.postMessage(run(task)))

/** A third of a second of computation: in a worker thread, so that the main thread stays free. */
function run(task: PasswordTask): string | boolean {
  if (task.do === 'hash') return bcrypt.hashSync(task.password, task.cost)
  const { password, hash, cost } = task
  if (hash === null) {
    bcrypt.compareSync(password, hashOfCost(cost))
    return false
  }
  const fits = bcrypt.compareSync(password, hash)
  // Each cost doubles the work: 2^c + 2^c + 2^(c+1) + … + 2^(n-1) is 2^n.
  for (let next = bcrypt.getRounds(hash); next < cost; next++) bcrypt.compareSync(password, hashOfCost(next))
  return fits
}

/** A well-formed hash without a known password. */
function hashOfCost(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(22)}${'/'.repeat(31)}`
}
