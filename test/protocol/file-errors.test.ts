import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  fileFault,
  isFull,
  isMissing,
  isOccupied,
  isUnreachable,
  missingFile,
} from '../../dist/protocol/file-errors.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('the kind of a file error', () => {
  it('is derived from system errors', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'file'), '')
    const faultsOf = async (work: Promise<unknown>) => fileFault(await work.catch((error) => error))
    expect(await faultsOf(readFile(join(folder, 'none')))).toBe('missing')
    expect(await faultsOf(readFile(join(folder, 'file/below')))).toBe('below-file')
    expect(await faultsOf(readFile(folder))).toBe('folder')
    expect(await faultsOf(readdir(join(folder, 'a'.repeat(300))))).toBe('too-long')
    expect(await faultsOf(writeFile(join(folder, 'file'), '', { flag: 'wx' }))).toBe('exists')
    expect(isOccupied(await rmdir(folder).catch((error) => error))).toBe(true)
  })

  it('is undefined for other errors, and for values that are no errors', () => {
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    const inherited = Object.assign(new Error('odd'), { code: 'toString' })
    for (const error of [reset, inherited, new Error('plain'), { code: 'ENOENT' }, undefined]) {
      expect(fileFault(error)).toBeUndefined()
    }
  })

  it('of a blocked path counts as unreachable, not as missing', () => {
    const withCode = (code: string) => Object.assign(new Error(code), { code })
    expect(isMissing(missingFile('none'))).toBe(true)
    for (const code of ['ENOTDIR', 'ELOOP', 'ENXIO', 'ENAMETOOLONG']) {
      expect([isMissing(withCode(code)), isUnreachable(withCode(code))]).toEqual([false, true])
    }
    expect(isUnreachable(withCode('EACCES'))).toBe(false)
    expect([isFull(withCode('ENOSPC')), isFull(withCode('EDQUOT')), isFull(withCode('EACCES'))]).toEqual([
      true,
      true,
      false,
    ])
  })
})
