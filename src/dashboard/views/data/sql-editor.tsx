import { autocompletion, closeCompletion } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { Annotation, Compartment, EditorState, type Extension, Prec } from '@codemirror/state'
import { EditorView, type KeyBinding, keymap } from '@codemirror/view'
import { useEffect, useRef } from 'preact/hooks'
import type { TableRecord } from '../../../protocol/tables.js'
import { sqlColours, sqlLanguage } from './sql-language.js'

export interface SqlEditorProps {
  /** What is in the field. The editor looks at it only when it is opened: later it lags behind what is typed. */
  value: string
  /** The text that the field is given: a new object replaces what was typed. */
  given: { readonly text: string }
  /** Completed are the names of these tables and of their columns. */
  tables: readonly TableRecord[]
  label: string
  /** What is wrong with the query; null if nothing is. */
  error: string | null
  /** Where the caret goes when it changes; characters from the start. */
  caret: number | undefined
  isFocused: boolean
  onChange(value: string): void
  onRun(): void
}

/** A field for SQL with colours, and completion of keywords and names. Tab leaves it. */
export default function SqlEditor({ isFocused, ...props }: SqlEditorProps) {
  const host = useRef<HTMLDivElement>(null)
  const editor = useRef<Editor | undefined>(undefined)
  const now = useRef(props)
  now.current = props
  useEffect(() => {
    const opened = openEditor(host.current!, () => now.current)
    editor.current = opened
    if (isFocused) opened.view.focus()
    return () => opened.view.destroy()
  }, [])
  const { given, tables, label, error, caret } = props
  const before = useRef(given)
  useEffect(() => {
    if (given !== before.current) editor.current?.show(given.text)
    before.current = given
  }, [given])
  const names = JSON.stringify(tables.map((table) => [table.name, ...table.columns.map(({ name }) => name)]))
  useEffect(() => editor.current?.complete(tables), [names])
  useEffect(() => editor.current?.describe(label, error), [label, error])
  useEffect(() => {
    if (caret !== undefined) editor.current?.goTo(caret)
  }, [caret, error])
  return <div ref={host} class="sql-editor" />
}

interface Editor {
  readonly view: EditorView
  /** Replaces the text, unless it is this one. */
  show(value: string): void
  complete(tables: readonly TableRecord[]): void
  describe(label: string, error: string | null): void
  goTo(offset: number): void
}

/** In a shadow root: there, its styles are constructed style sheets, which the policy of the page allows. */
function openEditor(host: HTMLElement, props: () => Omit<SqlEditorProps, 'isFocused'>): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  const description = document.createElement('span')
  description.id = 'error'
  description.hidden = true
  const language = new Compartment()
  const attributes = new Compartment()
  const run = () => {
    props().onRun()
    return true
  }
  const { value, tables, label, error } = props()
  const view = new EditorView({
    root,
    state: EditorState.create({
      doc: value,
      extensions: [
        Prec.highest(keymap.of([{ key: 'Mod-Enter', run }, leave])),
        history(),
        autocompletion(),
        keymap.of([...defaultKeymap, ...historyKeymap]),
        EditorView.lineWrapping,
        language.of(sqlLanguage(tables)),
        attributes.of(attributesOf(label, error)),
        sqlColours,
        replacesItself,
        look,
        EditorView.updateListener.of((update) => {
          const isTyped = update.transactions.some((each) => each.docChanged && !each.annotation(shown))
          if (isTyped) props().onChange(update.state.doc.toString())
        }),
      ],
    }),
  })
  root.replaceChildren(view.dom, description)
  return {
    view,
    show(text) {
      const { doc } = view.state
      if (doc.toString() === text) return
      view.dispatch({ changes: { from: 0, to: doc.length, insert: text }, annotations: shown.of(true) })
    },
    complete: (names) => view.dispatch({ effects: language.reconfigure(sqlLanguage(names)) }),
    describe(name, problem) {
      description.textContent = problem
      view.dispatch({ effects: attributes.reconfigure(attributesOf(name, problem)) })
    },
    goTo(offset) {
      view.dispatch({ selection: { anchor: Math.min(offset, view.state.doc.length) }, scrollIntoView: true })
      view.focus()
    },
  }
}

/** Chromium lets Tab stop at lists that scroll, as that of the names is. */
const leave: KeyBinding = {
  key: 'Tab',
  run(view) {
    closeCompletion(view)
    return false
  },
}

/**
 * Replaces a selection by what is typed. Chromium would keep the colour of the replaced text by an inline style, which the
 * policy of the page forbids.
 */
const replacesItself = EditorView.domEventHandlers({
  beforeinput({ inputType, data, isComposing }, view) {
    const range = chosenRange(view)
    if (inputType !== 'insertText' || data === null || isComposing || !range) return false
    const insert = view.state.toText(data)
    const selection = { anchor: range.from + insert.length }
    view.dispatch({ changes: { ...range, insert }, selection, userEvent: 'input.type', scrollIntoView: true })
    return true
  },
})

/** What is selected in the page: the editor may not have heard of it. Only Chromium tells it of a shadow root. */
function chosenRange(view: EditorView): { from: number; to: number } | undefined {
  const { anchorNode, anchorOffset, focusNode, focusOffset } =
    (view.root as { getSelection?(): Selection | null }).getSelection?.() ?? noSelection
  if (!view.contentDOM.contains(anchorNode) || !view.contentDOM.contains(focusNode)) return undefined
  const ends = [view.posAtDOM(anchorNode!, anchorOffset), view.posAtDOM(focusNode!, focusOffset)]
  const [from, to] = [Math.min(...ends), Math.max(...ends)]
  return from === to ? undefined : { from, to }
}

const noSelection = { anchorNode: null, anchorOffset: 0, focusNode: null, focusOffset: 0 }

/** Marks what was not typed. */
const shown = Annotation.define<boolean>()

function attributesOf(label: string, error: string | null): Extension {
  const described: Record<string, string> = error === null ? {} : { 'aria-describedby': 'error' }
  return EditorView.contentAttributes.of({ 'aria-label': label, 'aria-invalid': String(error !== null), ...described })
}

/** The page's style sheets end at the shadow root, their variables do not. */
const look = EditorView.theme({
  '&': { color: 'var(--text)', fontSize: '0.92rem' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '2px', borderRadius: '7px' },
  '.cm-scroller': { maxHeight: '24em', minHeight: '4.9em', overflow: 'auto', font: 'inherit', lineHeight: '1.5' },
  '.cm-content': { padding: '0.42rem 0', fontFamily: 'var(--mono)', caretColor: 'var(--text)' },
  '.cm-line': { padding: '0 0.7rem' },
  '.cm-tooltip': {
    border: '1px solid var(--line-strong)',
    borderRadius: '8px',
    background: 'var(--raised)',
    overflow: 'hidden',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxWidth: 'min(34rem, 90vw)' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '0.15rem 0.5rem' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    background: 'var(--accent-strong)',
    color: 'var(--on-accent)',
  },
  '.cm-completionDetail': { color: 'inherit' },
})
