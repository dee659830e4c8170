interface NodeModules {
  'node:crypto': typeof import('node:crypto')
  'node:fs/promises': typeof import('node:fs/promises')
  'node:path': typeof import('node:path')
  'node:url': typeof import('node:url')
}

/**
 * A module of Node; undefined in a browser. Without an import, because a bundler for browsers would refuse it, also where it
 * never runs.
 */
export function findNodeModule<Id extends keyof NodeModules>(id: Id): NodeModules[Id] | undefined {
  const host: { getBuiltinModule?: (id: string) => object | undefined } | undefined = globalThis.process
  return host?.getBuiltinModule?.(id) as NodeModules[Id] | undefined
}

/** Throws a TypeError in a browser. */
export function nodeModule<Id extends keyof NodeModules>(id: Id): NodeModules[Id] {
  const found = findNodeModule(id)
  if (!found) throw new TypeError('Paths and folders can be used on Node only: pass a Blob or a stream.')
  return found
}
