import type { ListedFile } from '../../protocol/folder-jobs.js'

/** The files of the jobs of many files, in the order in which they ended. It is shortened rather than kept complete. */
export interface JobFiles {
  /** Adds a file to the list of a job. Never throws: without a list the job continues. */
  add(jobId: string, file: ListedFile): void
  /** From `after`, the `next` of the page before, or 0. Includes everything that was added before the call. */
  list(jobId: string, query: { after: number; limit: number }): Promise<JobFilePage>
  /** No more files are added. */
  end(jobId: string): Promise<void>
  /** Removing a missing list is not an error. */
  remove(jobId: string): Promise<void>
  /** The jobs that have a list. */
  jobs(): Promise<string[]>
}

export interface JobFilePage {
  files: ListedFile[]
  /** null at the end. */
  next: number | null
  /** False if the list was shortened or removed to save space. */
  isComplete: boolean
}
