import type { Reporter, TestModule } from 'vitest/node'

/** Names the tests that failed at first and passed when they were run again. */
export default class UnstableTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      for (const test of module.children.allTests('passed')) {
        if (!test.diagnostic()?.flaky) continue
        console.log(`\nUNSTABLE: ${module.relativeModuleId} > ${test.fullName}`)
        for (const { message } of test.result().errors ?? []) console.log(message)
      }
    }
  }
}
