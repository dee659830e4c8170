import bcrypt from 'bcryptjs'

export type PasswordTask =
  | { readonly do: 'hash'; readonly password: string; readonly cost: number }
  | { readonly do: 'compare'; readonly password: string; readonly hash: string }

/** Runs in the worker thread, where a third of a second of arithmetic holds nobody up. */
export default function run(task: PasswordTask): string | boolean {
  if (task.do === 'hash') return bcrypt.hashSync(task.password, task.cost)
  return bcrypt.compareSync(task.password, task.hash)
}
