import { useEffect, useRef } from 'preact/hooks'
import type { FileRecord } from '../../../../protocol/files.js'
import { formatBytes } from '../../../../protocol/units.js'
import { CopyField } from '../../../parts/copy-field.js'
import { FileName } from '../../../parts/file-name.js'
import { Icon } from '../../../parts/icon.js'
import { IconButton } from '../../../parts/icon-button.js'
import { formatWholeTime } from '../../../words/format.js'
import { say } from '../../../words/say.js'
import { baseOf } from '../entries.js'
import { CopyFacts, copiesOf } from './copy-facts.js'
import { LinkFacts } from './link-facts.js'
import { PreviewContent } from './preview-content.js'

export interface PreviewPanelProps {
  file: FileRecord
  /** The address of the file. */
  path: string
  onClose(): void
  /** All that are listed with it. */
  files: readonly FileRecord[]
  hrefOf(file: FileRecord): string
  /** Missing at the ends of the list. */
  onBack?: (() => void) | undefined
  onNext?: (() => void) | undefined
  onDownload(): void
  /** Missing if it is not the account's own. */
  onShare?: (() => void) | undefined
  /** Missing if it cannot become a table. */
  onImport?: (() => void) | undefined
}

/** A file beside the list: what is in it, and facts. */
export default function PreviewPanel(props: PreviewPanelProps) {
  const { file, path, files, hrefOf, onClose, onBack, onNext, onDownload, onShare, onImport } = props
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus({ preventScroll: true }), [file.name])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isElsewhere = event.target instanceof Element && event.target.closest('input, textarea, video, audio')
      if (isElsewhere || document.querySelector('dialog[open]')) return
      const action = { ArrowLeft: onBack, ArrowRight: onNext, Escape: onClose }[event.key]
      if (!action || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      event.stopImmediatePropagation()
      action()
    }
    addEventListener('keydown', onKey, { capture: true })
    return () => removeEventListener('keydown', onKey, { capture: true })
  })
  return (
    <aside class="preview" aria-labelledby="preview-name" data-preview={file.name}>
      <header>
        <h2 id="preview-name" ref={heading} tabIndex={-1}>
          <FileName name={baseOf(file.name)} />
        </h2>
        <span class="flip">
          <IconButton icon="chevron" label={say('files.previous')} disabled={!onBack} onClick={() => onBack?.()} />
        </span>
        <IconButton icon="chevron" label={say('files.next')} disabled={!onNext} onClick={() => onNext?.()} />
        <IconButton icon="close" label={say('files.closePreview')} onClick={onClose} />
      </header>
      <div class="preview-content">
        <PreviewContent key={file.name} file={file} path={path} />
      </div>
      <div class="preview-facts">
        <div class="preview-actions">
          <button type="button" onClick={onDownload}>
            <Icon name="download" />
            {say('files.download')}
          </button>
          {onShare && (
            <button type="button" onClick={onShare}>
              <Icon name="link" />
              {say('files.share')}
            </button>
          )}
          {onImport && (
            <button type="button" onClick={onImport}>
              <Icon name="table" />
              {say('files.import')}
            </button>
          )}
        </div>
        <dl>
          <dt>{say('files.size')}</dt>
          <dd>
            {formatBytes(file.size)} ({say('files.bytes', { count: file.size })})
          </dd>
          <dt>{say('files.changed')}</dt>
          <dd>{formatWholeTime(file.uploadedAt)}</dd>
          <dt>{say('files.type')}</dt>
          <dd>{file.type}</dd>
          {file.sha256 !== null && (
            <>
              <dt>SHA-256</dt>
              <dd class="preview-digest">{file.sha256}</dd>
            </>
          )}
          <CopyFacts copies={copiesOf(file, files)} hrefOf={hrefOf} />
          {onShare && <LinkFacts name={file.name} />}
        </dl>
        <CopyField text={location.origin + path} label={say('files.address')} />
      </div>
    </aside>
  )
}
