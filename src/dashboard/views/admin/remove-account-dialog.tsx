import { useState } from 'preact/hooks'
import { formatBytes } from '../../../protocol/units.js'
import { callApi } from '../../api.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { toast } from '../../parts/toasts.js'
import { say } from '../../words/say.js'
import { accountPath } from './account-requests.js'
import type { AccountDialogProps } from './quota-dialog.js'

/** Says what goes with an account, and removes it once its name was typed. */
export function RemoveAccountDialog({ account: listed, onClose, onChanged }: AccountDialogProps) {
  const { account, used, jobs } = listed
  const [typed, setTyped] = useState('')

  async function remove() {
    if (typed.trim() !== account) throw new Error(say('accounts.notTyped', { account }))
    await callApi('DELETE', accountPath(account))
    toast({ tone: 'good', title: say('accounts.deleted', { account }) })
    onChanged()
  }

  return (
    <Dialog title={say('accounts.deleteQuestion', { account })} onClose={onClose}>
      <DialogForm
        action={say('accounts.deleteForGood')}
        isDanger
        onSubmit={remove}
        other={{ label: say('shell.cancel'), onClick: onClose }}
      >
        <ul class="consequences">
          <li>
            {used === null ? say('accounts.deleteFiles') : say('accounts.deleteFilesOf', { bytes: formatBytes(used) })}
          </li>
          <li>{say('accounts.deleteLinks')}</li>
          {jobs > 0 && <li>{say('accounts.willStop', { count: jobs })}</li>}
          <li>{say('accounts.deleteJobs')}</li>
        </ul>
        <p class="hint">{say('accounts.deleteInstead')}</p>
        <label class="field">
          <span>{say('accounts.typeToDelete', { account })}</span>
          <input
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            autofocus
          />
        </label>
      </DialogForm>
    </Dialog>
  )
}
