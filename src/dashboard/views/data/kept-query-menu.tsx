import { useState } from 'preact/hooks'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { IconButton } from '../../parts/icon-button.js'
import { say } from '../../words/say.js'
import type { openKeptQueries } from './kept-queries.js'

export interface KeptQueryMenuProps {
  kept: ReturnType<typeof openKeptQueries>
  /** What is to be saved. */
  sql: string
  onChoose(sql: string): void
}

/** The queries that ran before and those that were saved, to be used again, and the way to save one. */
export function KeptQueryMenu({ kept, sql, onChoose }: KeptQueryMenuProps) {
  const [open, setOpen] = useState<'list' | 'save' | null>(null)
  const close = () => setOpen(null)
  return (
    <>
      <button type="button" onClick={() => setOpen('list')}>
        {say('query.kept')}
      </button>
      <button type="button" onClick={() => setOpen('save')} disabled={sql.trim() === ''}>
        {say('query.save')}
      </button>
      {open === 'list' && (
        <KeptDialog
          kept={kept}
          onClose={close}
          onChoose={(chosen) => {
            onChoose(chosen)
            close()
          }}
        />
      )}
      {open === 'save' && <SaveDialog onClose={close} onSave={(name) => kept.save({ name, sql })} />}
    </>
  )
}

function KeptDialog({ kept, onChoose, onClose }: Omit<KeptQueryMenuProps, 'sql'> & { onClose(): void }) {
  const [saved, setSaved] = useState(kept.saved)
  const history = kept.history()
  const remove = (name: string) => {
    kept.remove(name)
    setSaved(kept.saved())
  }
  return (
    <Dialog title={say('query.kept')} onClose={onClose} wide>
      <h3>{say('query.saved')}</h3>
      {saved.length === 0 && <p class="dim">{say('query.noneSaved')}</p>}
      <ul class="pick-list">
        {saved.map(({ name, sql }) => (
          <li key={name} class="kept-query">
            <button type="button" onClick={() => onChoose(sql)} title={sql}>
              {name}
            </button>
            <IconButton
              icon="trash"
              tone="careful"
              label={say('query.remove', { name })}
              onClick={() => remove(name)}
            />
          </li>
        ))}
      </ul>
      <h3>{say('query.history')}</h3>
      {history.length === 0 && <p class="dim">{say('query.noHistory')}</p>}
      <ul class="pick-list">
        {history.map((sql) => (
          <li key={sql}>
            <button type="button" class="kept-sql" onClick={() => onChoose(sql)} title={sql}>
              {sql}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  )
}

function SaveDialog({ onSave, onClose }: { onSave(name: string): void; onClose(): void }) {
  const [name, setName] = useState('')
  async function save() {
    onSave(name.trim())
    onClose()
  }
  return (
    <Dialog title={say('query.saveTitle')} onClose={onClose}>
      <DialogForm
        action={say('query.saveAction')}
        onSubmit={save}
        other={{ label: say('shell.cancel'), onClick: onClose }}
      >
        <label class="field">
          <span>{say('query.name')}</span>
          <input value={name} onInput={(event) => setName(event.currentTarget.value)} required autofocus />
          <small class="hint">{say('query.nameHint')}</small>
        </label>
      </DialogForm>
    </Dialog>
  )
}
