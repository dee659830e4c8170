import type { FolderJobs } from '../../dist/server/folders/folder-jobs.js'

/** For transfers of tests in which no request is part of a job of many files. */
export const noFolders: Pick<FolderJobs, 'join' | 'mustBeOpen'> = {
  join: () => unexpected(),
  mustBeOpen: () => unexpected(),
}

function unexpected(): Promise<never> {
  return Promise.reject(new Error('No job of many files was expected.'))
}
