import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { JobRecord, Receipt } from '../../protocol/jobs.js'
import { formatBytes } from '../../protocol/units.js'
import { errorText } from '../api.js'
import { phrase, say } from '../words/say.js'
import { FileName } from './file-name.js'
import { Icon, type IconName } from './icon.js'
import { IconButton } from './icon-button.js'

export interface Toast {
  tone: 'plain' | 'good' | 'bad'
  title: ComponentChildren
  text?: ComponentChildren
  action?: ToastAction
  /** Milliseconds until it disappears; default 6 s. */
  forMs?: number
}

export interface ToastAction {
  label: string
  run(): void
  /** If given, the action takes the focus; called instead when the toast disappears with the focus. */
  returnFocus?(): void
}

type ShownToast = Toast & { key: number }

const toasts = signal<readonly ShownToast[]>([])
let nextKey = 0

/** Shows a message at the edge of the page for a while. Returns a function that removes it. */
export function toast(given: Toast): () => void {
  const key = nextKey++
  const remove = () => {
    toasts.value = toasts.peek().filter((other) => other.key !== key)
  }
  const all = [...toasts.peek(), { ...given, key }]
  // Its action would be lost without it.
  const tooMany = all.filter(({ action }) => !action).slice(0, -mostShown)
  toasts.value = all.filter((one) => !tooMany.includes(one))
  setTimeout(remove, given.forMs ?? 6000)
  return remove
}

export function toastError(title: ComponentChildren, error: unknown): void {
  toast({ tone: 'bad', title, text: errorText(error), forMs: 10_000 })
}

/** The result of a stop: what was stopped, by whom, how much was discarded, how long it took. */
export function toastReceipt(receipt: Receipt): void {
  const { job, bytesDiscarded, published, cleanedUp, tookMs, stoppedBy } = receipt
  toast({
    tone: 'good',
    title: titleOf(job),
    text: (
      <dl class="receipt" data-testid="receipt">
        <dt>{say('receipt.by')}</dt>
        <dd>{stoppedBy}</dd>
        <dt>{say('receipt.discarded')}</dt>
        <dd>{formatBytes(bytesDiscarded)}</dd>
        {published && (
          <>
            <dt>{say('receipt.kept')}</dt>
            <dd>{say('job.keptFiles', { count: published.files, bytes: formatBytes(published.bytes) })}</dd>
          </>
        )}
        <dt>{say('receipt.cleanedUp')}</dt>
        <dd>
          {cleanedUp ? say(published ? 'job.nothingIncompleteLeft' : 'job.nothingLeft') : say('job.notCleanedUp')}
        </dd>
        <dt>{say('receipt.took')}</dt>
        <dd>{say('receipt.milliseconds', { count: tookMs })}</dd>
      </dl>
    ),
    forMs: 15_000,
  })
}

function titleOf({ kind, file }: JobRecord): ComponentChildren {
  if (!file || kind === 'query') return say(`receipt.stoppedUnnamed.${kind}`)
  return phrase(`receipt.stopped.${kind}`, { file: <FileName name={file} /> })
}

export function Toasts() {
  const list = useRef<HTMLElement>(null)
  const newest = toasts.value.at(-1)?.key
  useLayoutEffect(() => list.current?.lastElementChild?.scrollIntoView({ block: 'nearest' }), [newest])
  return (
    <section ref={list} class="toasts" aria-label={say('states.messages')} aria-live="polite">
      {toasts.value.map((shown) => (
        <ToastCard key={shown.key} toast={shown} />
      ))}
    </section>
  )
}

function ToastCard({ toast: { key, tone, title, text, action } }: { toast: ShownToast }) {
  const card = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  useLayoutEffect(() => {
    const returnFocus = action?.returnFocus
    const place = card.current
    if (!returnFocus) return
    button.current?.focus()
    return () => {
      // After everything that changes with it is rendered.
      if (place?.contains(document.activeElement)) queueMicrotask(returnFocus)
    }
  }, [])
  return (
    <div ref={card} class={`toast ${tone}`}>
      <Icon name={icons[tone]} />
      <div class="toast-words">
        <strong>{title}</strong>
        {text && <div>{text}</div>}
      </div>
      {action && (
        <button ref={button} type="button" class="plain" onClick={() => close(key, action.run)}>
          {action.label}
        </button>
      )}
      <IconButton icon="close" label={say('states.dismiss')} onClick={() => close(key)} />
    </div>
  )
}

function close(key: number, run?: () => void): void {
  toasts.value = toasts.peek().filter((other) => other.key !== key)
  run?.()
}

const icons: Record<Toast['tone'], IconName> = { plain: 'check', good: 'check', bad: 'alert' }
const mostShown = 4
