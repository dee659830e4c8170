import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { projects } from './projects.js'

/** Keeps the files of a project together, because only files that follow each other share a process. */
export class GroupedSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const names = projects.map(({ test }) => test.name)
    const rank = (file: TestSpecification) => names.indexOf(file.project.name)
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
