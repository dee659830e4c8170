import { useEffect, useRef } from 'preact/hooks'
import { useModule } from '../../parts/use-module.js'
import type { SqlEditorProps } from './sql-editor.js'

const loadEditor = () => import('./sql-editor.js')

/** A field for SQL: a plain one until the editor is loaded. */
export function SqlField(props: Omit<SqlEditorProps, 'isFocused'>) {
  const { part: Editor } = useModule(loadEditor)
  const field = useRef<HTMLTextAreaElement>(null)
  const { value, label, error, caret, onChange, onRun } = props
  useEffect(() => {
    if (caret === undefined || !field.current) return
    field.current.focus()
    field.current.setSelectionRange(caret, caret)
  }, [caret, error])
  // It takes the place of the plain one, and its focus.
  if (Editor) return <Editor {...props} isFocused={document.activeElement === field.current} />
  return (
    <textarea
      ref={field}
      aria-label={label}
      aria-invalid={error !== null}
      aria-describedby={error === null ? undefined : 'query-error'}
      class="sql"
      rows={Math.min(16, Math.max(3, value.split('\n').length))}
      value={value}
      spellcheck={false}
      onInput={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onRun()
      }}
    />
  )
}
