import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { clearEndedDownloads } from '../downloads/begun-downloads.js'
import { revision } from '../live/job-store.js'
import { clearDoneUploads, retryUploads } from '../uploads/upload-queue.js'
import { LimitDialog } from '../views/transfers/limit-dialog.js'
import { say } from '../words/say.js'
import { ConflictCard, useComparison } from './conflict-card.js'
import { DownloadRows, QueuedDownloads } from './download-rows.js'
import { tellEnds } from './ends.js'
import { NotifyButton } from './notify-button.js'
import { useOpening } from './opening.js'
import { contentsOfTray, type TrayContents } from './tray-contents.js'
import { TrayLine } from './tray-line.js'
import { UnfinishedRows } from './unfinished-rows.js'
import { UploadList } from './upload-list.js'
import { useUnfinished } from './use-unfinished.js'

/** The uploads and downloads of this page, at the foot of every view: one line, and the groups behind it. */
export function Tray() {
  revision.value
  const id = useId()
  const contents = contentsOfTray(useUnfinished())
  const { needs, running, done } = contents
  const { isOpen, toggle } = useOpening(needs.count)
  const toggleButton = useRef<HTMLButtonElement>(null)
  const [limited, setLimited] = useState<string | null>(null)
  useComparison(needs.uploads.filter(({ status }) => status.value.state === 'exists'))
  useEffect(() => tellEnds(), [])
  if (needs.count + running.count + done.count === 0) return null
  return (
    <section
      class={`tray${isOpen ? ' is-open' : ''}`}
      aria-label={say('tray.label')}
      onFocusOut={(event) => keepFocus(event, toggleButton.current)}
    >
      <TrayLine contents={contents} isOpen={isOpen} onToggle={toggle} toggleButton={toggleButton} bodyId={id} />
      <div id={id} class="tray-body" hidden={!isOpen}>
        {isOpen && <Groups contents={contents} onLimit={setLimited} />}
      </div>
      {limited && <LimitDialog key={limited} ids={[limited]} onClose={() => setLimited(null)} />}
    </section>
  )
}

function Groups({
  contents: { needs, running, done },
  onLimit,
}: {
  contents: TrayContents
  onLimit(id: string): void
}) {
  const again = needs.uploads.filter(({ status }) => status.value.state !== 'exists')
  const taken = needs.uploads.filter(({ status }) => status.value.state === 'exists')
  return (
    <>
      {needs.count > 0 && (
        <Group
          name={say('tray.needsYou')}
          action={again.length > 1 && { label: say('tray.tryAll'), run: () => retryUploads(again) }}
        >
          {taken.length > 0 && <ConflictCard items={taken} />}
          <UnfinishedRows uploads={needs.unfinished} />
          <UploadList items={needs.uploads} onLimit={onLimit} />
          <DownloadRows downloads={needs.downloads} />
        </Group>
      )}
      {running.count > 0 && (
        <Group name={say('tray.running')} side={<NotifyButton />}>
          <UploadList items={running.uploads} onLimit={onLimit} />
          <DownloadRows downloads={running.downloads} />
          <QueuedDownloads />
        </Group>
      )}
      {done.count > 0 && (
        <Group name={say('tray.done')} action={hasCleared(done) && { label: say('tray.clear'), run: clearDone }}>
          <UploadList items={done.uploads} onLimit={onLimit} />
          <DownloadRows downloads={done.downloads} />
        </Group>
      )}
    </>
  )
}

/** What this person stopped can be tried again, and stays. */
function hasCleared({ uploads, downloads }: TrayContents['done']): boolean {
  return downloads.length > 0 || uploads.some(({ status }) => status.value.state === 'done')
}

function clearDone(): void {
  clearDoneUploads()
  clearEndedDownloads()
}

interface GroupProps {
  name: string
  action?: { label: string; run(): void } | false
  side?: preact.ComponentChildren
  children: preact.ComponentChildren
}

function Group({ name, action = false, side, children }: GroupProps) {
  const id = useId()
  return (
    <section class="tray-group" aria-labelledby={id}>
      <header>
        <h2 id={id}>{name}</h2>
        {side}
        {action && (
          <button type="button" class="plain" onClick={action.run}>
            {action.label}
          </button>
        )}
      </header>
      {children}
    </section>
  )
}

/** When a row goes with the button that had the focus, the focus stays in the tray. */
function keepFocus({ target }: FocusEvent, fallback: HTMLElement | null): void {
  // The event comes before the removal.
  queueMicrotask(() => {
    const isGone = target instanceof Element && !target.isConnected
    if (isGone && document.activeElement === document.body) fallback?.focus({ preventScroll: true })
  })
}
