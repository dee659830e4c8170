import type { Reporter, TestModule } from 'vitest/node'

declare module 'vitest' {
  interface TaskMeta {
    /** Whether a server of its fleet was killed while it ran. */
    hasLostServer?: boolean
  }
}

/** Says how many of the tests of the fleet have lost a server, and how many of these were run again. */
export default class FleetReport implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules
      .filter(({ project }) => project.name === 'fleet')
      .flatMap((module) => [...module.children.allTests('passed')])
    if (tests.length === 0) return
    const lost = tests.filter((test) => test.meta().hasLostServer)
    const again = lost.filter((test) => test.diagnostic()?.flaky)
    console.log(
      `\nFleet: ${tests.length} tests passed. ${lost.length} of them lost a server, and ${again.length} of these were run again.`,
    )
  }
}
