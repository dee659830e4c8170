/** Does it as a user whose rights count: root, which may do everything, becomes the one that owns nothing meanwhile. */
export async function asNobodyInstead<T>(work: () => Promise<T>): Promise<T> {
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65534)
  try {
    return await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}
