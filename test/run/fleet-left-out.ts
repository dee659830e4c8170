/** The tests of these files that say nothing about several servers, by the beginnings of their titles, with the reason. */
export const leftOut: Record<string, Record<string, string>> = {
  'test/server/dialects/collect.test.ts': {
    'runs nothing beside an import': 'it holds an import of the process of the test',
  },
  'test/server/folders/joining.test.ts': {
    'for ': 'nginx sends 100 Continue before any server has the request',
  },
  'test/server/tus/creation.test.ts': {
    'accepts Base64 metadata': 'only the server that published it has the metadata: docs/cluster.md',
    'whose client ': 'nginx may never ask a server',
  },
  'test/server/tus/core.test.ts': {
    'sends 100 Continue': 'nginx sends it before any server has the request',
  },
  'test/server/transfers/pause.test.ts': {
    'releases its slot; the connections': 'behind a proxy, no client is asked whether it lives: docs/deploy.md',
  },
  'test/server/routes/job-events.test.ts': {
    'misses and repeats nothing': 'another server answers with a resync: docs/cluster.md',
    'includes the events that no stream received': 'another server answers with a resync: docs/cluster.md',
    'starts with all snapshots if it was cut': 'another server answers with a resync: docs/cluster.md',
    'has an id, a name and data': 'nginx removes X-Accel-Buffering',
    'happens at once when the server shuts down': 'it closes its server',
  },
}

/** Why a test does not run against a fleet; undefined if it does. */
export function leftOutOfFleet(file: string, title: string): string | undefined {
  const [, reason] = Object.entries(leftOut[file] ?? {}).find(([beginning]) => title.startsWith(beginning)) ?? []
  return reason
}
