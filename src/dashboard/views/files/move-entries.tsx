import type { ComponentChildren } from 'preact'
import { filePath } from '../../../protocol/routes.js'
import { callApi, errorText } from '../../api.js'
import { FileName } from '../../parts/file-name.js'
import { toast, toastError } from '../../parts/toasts.js'
import { settleRemoval } from '../../uploads/pending-removals.js'
import { phrase, say } from '../../words/say.js'
import { baseOf, folderOf } from './entries.js'

/** Moves a file, or a folder, both of whose names end with a slash. Throws the server's error. */
export async function moveEntry(from: string, to: string): Promise<void> {
  await settleRemoval(to)
  await callApi('POST', `${filePath(from.replace(/\/$/, ''))}/move`, { json: { to } })
}

/** Whether they can be moved into the folder: it is another one, and none of them. */
export function canMoveInto(names: readonly string[], folder: string): boolean {
  return (
    names.some((name) => folderOf(name) !== folder) &&
    !names.some((name) => name.endsWith('/') && folder.startsWith(name))
  )
}

/** Moves them into the folder, one after another; says what came of it, and offers to move them back. */
export async function moveInto(names: readonly string[], folder: string, onChange: () => void): Promise<void> {
  const moves = names.map((name) => [name, folder + name.slice(folderOf(name).length)] as const)
  const moved = await moveAll(moves.filter(([from, to]) => from !== to))
  onChange()
  if (moved.length === 0) return
  const where = folder === '' ? say('files.title') : <FileName name={folder} />
  toast({
    tone: 'good',
    title: phrase('files.movedTo', { what: namesOf(moved.map(([from]) => from)), folder: where }),
    action: {
      label: say('files.undo'),
      run: () => void moveAll(moved.map(([from, to]) => [to, from] as const)).then(onChange),
    },
    forMs: 10_000,
  })
}

/** Those that were moved; the others are named in a message. */
async function moveAll(moves: readonly (readonly [string, string])[]): Promise<(readonly [string, string])[]> {
  const moved: (readonly [string, string])[] = []
  const failures: { name: string; error: unknown }[] = []
  for (const move of moves) {
    try {
      await moveEntry(...move)
      moved.push(move)
    } catch (error) {
      failures.push({ name: move[0], error })
    }
  }
  if (failures.length > 0) {
    const names = namesOf(failures.map(({ name }) => name))
    toastError(phrase('files.notMoved', { names }), new Error(errorText(failures[0]!.error)))
  }
  return moved
}

/** The name of one, or the number of several. */
export function namesOf(names: readonly string[]): ComponentChildren {
  return names.length === 1 ? <FileName name={baseOf(names[0]!)} /> : say('files.items', { count: names.length })
}
