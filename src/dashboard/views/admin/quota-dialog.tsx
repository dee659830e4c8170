import { useState } from 'preact/hooks'
import type { AccountQuota, ListedAccountRecord } from '../../../protocol/accounts.js'
import { formatQuota, parseQuota } from '../../../protocol/quota.js'
import { formatBytes } from '../../../protocol/units.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { say } from '../../words/say.js'
import { changeAccount } from './account-requests.js'

export interface AccountDialogProps {
  account: ListedAccountRecord
  onClose(): void
  onChanged(): void
}

/** Asks how much an account may store. */
export function QuotaDialog({ account, onClose, onChanged }: AccountDialogProps) {
  const { account: name, used, quota } = account
  const [text, setText] = useState(quota === null ? '' : formatQuota(quota))

  async function change() {
    await changeAccount(name, { quota: quotaOf(text) })
    onChanged()
  }

  return (
    <Dialog title={say('accounts.quotaOf', { account: name })} onClose={onClose}>
      <p class="dim">
        {used === null ? say('accounts.usesUnknown') : say('accounts.uses', { bytes: formatBytes(used) })}
      </p>
      <DialogForm
        action={say('accounts.setQuota')}
        onSubmit={change}
        other={{ label: say('shell.cancel'), onClick: onClose }}
      >
        <div class="chips">
          {['1 GB', '5 GB', '50 GB', say('accounts.none')].map((preset) => (
            <button key={preset} type="button" class="chip" onClick={() => setText(preset)}>
              {preset}
            </button>
          ))}
        </div>
        <label class="field">
          <span>{say('accounts.quota')}</span>
          <input
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            placeholder={say('accounts.quotaOfServer')}
            autocomplete="off"
            autofocus
          />
        </label>
        <p class="hint">
          {say('accounts.quotaHint')} {say('accounts.quotaBelow')}
        </p>
      </DialogForm>
    </Dialog>
  )
}

/** Throws if it cannot be read. */
export function quotaOf(text: string): AccountQuota {
  const trimmed = text.trim().toLowerCase()
  return trimmed === '' ? null : parseQuota(trimmed, say('accounts.theQuota'))
}
