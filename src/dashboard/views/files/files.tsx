import { useCallback, useState } from 'preact/hooks'
import type { JobRecord } from '../../../protocol/jobs.js'
import { isMine } from '../../live/job-store.js'
import { Icon } from '../../parts/icon.js'
import { useReloadAfter } from '../../parts/reload-after.js'
import { Empty } from '../../parts/states.js'
import { toastError } from '../../parts/toasts.js'
import { type ChosenFile, chosenFiles, inFolder } from '../../uploads/dropped-files.js'
import { filePicker, folderPicker } from '../../uploads/pick-files.js'
import { enqueue } from '../../uploads/upload-queue.js'
import { phrase, say } from '../../words/say.js'
import { Breadcrumbs } from './breadcrumbs.js'
import { DropZone } from './drop-zone.js'
import { useEntryActions } from './entry-actions.js'
import { useListing } from './folder-listing.js'
import { FolderPanel } from './folder-panel.js'
import { hrefOfPreview, LazyPreview } from './lazy-preview.js'
import { NewFolderDialog } from './new-folder.js'
import { usePaste } from './paste.js'
import { ownPlace } from './place.js'

/** A folder of the account, and the upload area. */
export function FilesView({ folder }: { folder: string }) {
  const place = ownPlace(folder)
  const listing = useListing(place)
  const { level } = listing
  const reload = useCallback(() => level.reload(), [level])
  useReloadAfter(isNewFile, reload)
  const [isNaming, setIsNaming] = useState(false)
  const actions = useEntryActions(listing)
  const upload = useCallback((files: readonly ChosenFile[], into = folder) => enqueue(inFolder(files, into)), [folder])

  const onMade = (name: string) => {
    reload()
    listing.selection.goTo(name)
  }
  usePaste((files) => {
    if (!actions.paste()) upload(files)
  })

  return (
    <>
      <header class="view-head">
        <Breadcrumbs place={place} />
        <div class="buttons">
          <button type="button" onClick={() => setIsNaming(true)}>
            <Icon name="newFolder" />
            {say('files.newFolder')}
          </button>
          <FileButton isOfFolder onFiles={upload} />
          <FileButton onFiles={upload} />
        </div>
      </header>
      <DropZone folder={folder} onFiles={upload} />
      <FolderPanel
        label={say('files.mine')}
        listing={listing}
        none={<NoFiles folder={folder} />}
        actions={actions}
        hrefOfFile={(file) => hrefOfPreview(listing, file)}
      />
      <LazyPreview listing={listing} actions={actions} />
      {actions.dialog}
      {isNaming && <NewFolderDialog folder={folder} onClose={() => setIsNaming(false)} onDone={onMade} />}
    </>
  )
}

/** Files that were uploaded elsewhere appear automatically. Of many files, those that had arrived stay after a stop. */
function isNewFile(job: JobRecord): boolean {
  return job.kind === 'upload' && (job.state === 'done' || job.files !== null) && isMine(job)
}

interface FileButtonProps {
  isOfFolder?: boolean
  onFiles(files: readonly ChosenFile[]): void
}

function FileButton({ isOfFolder = false, onFiles }: FileButtonProps) {
  function pick(event: MouseEvent) {
    const picker = isOfFolder ? folderPicker() : filePicker()
    if (!picker) return
    event.preventDefault()
    picker()
      .then(onFiles)
      .catch((error: unknown) => toastError(say('files.notChosen'), error))
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys click its input
    <label class={`button${isOfFolder ? '' : ' primary'}`} onClick={pick}>
      <Icon name={isOfFolder ? 'folder' : 'upload'} />
      <span>{say(isOfFolder ? 'files.uploadFolder' : 'files.uploadFiles')}</span>
      <input
        type="file"
        class="hidden"
        multiple={!isOfFolder}
        {...(isOfFolder ? { webkitdirectory: true } : {})}
        onChange={(event) => {
          onFiles(chosenFiles(event.currentTarget.files))
          event.currentTarget.value = ''
        }}
      />
    </label>
  )
}

function NoFiles({ folder }: { folder: string }) {
  if (folder !== '') {
    return (
      <Empty icon="folder" title={say('files.emptyFolder')}>
        {say('files.emptyFolderText')}
      </Empty>
    )
  }
  return (
    <Empty icon="upload" title={say('files.none')}>
      {phrase('files.noneText', { command: <code>filejobs upload FILE</code> })}
    </Empty>
  )
}
