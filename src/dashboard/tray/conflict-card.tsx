import { useEffect } from 'preact/hooks'
import { Icon } from '../parts/icon.js'
import { compareExisting, keepBoth, skipExisting } from '../uploads/conflicts.js'
import type { UploadItem } from '../uploads/upload-items.js'
import { replaceExisting } from '../uploads/upload-queue.js'
import { say } from '../words/say.js'
import { ConflictComparison } from './conflict-comparison.js'

/** Asks once for all files whose names are taken; each row asks for its own. */
export function ConflictCard({ items }: { items: readonly UploadItem[] }) {
  return (
    <fieldset class="conflicts">
      <legend class="hidden">{say('uploads.conflicts')}</legend>
      <p>
        <Icon name="alert" />
        {say('uploads.exist', { count: items.length })}
      </p>
      <button type="button" onClick={() => replaceExisting(items)}>
        {say('uploads.replaceAll')}
      </button>
      <button type="button" onClick={() => skipExisting(items)}>
        {say('uploads.skipAll')}
      </button>
      <button type="button" onClick={() => keepBoth(items)}>
        {say('uploads.keepBoth')}
      </button>
      <ConflictComparison items={items} />
    </fieldset>
  )
}

/** Compares files whose names are taken with those that have them, also while no one looks: the same ones need no decision. */
export function useComparison(items: readonly UploadItem[]): void {
  useEffect(() => compareExisting(items), [items.length])
}
