import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { toast } from '../../parts/toasts.js'
import { say } from '../../words/say.js'
import { changeAccount } from './account-requests.js'
import type { AccountDialogProps } from './quota-dialog.js'

/** Says what happens, and disables an account. */
export function DisableDialog({ account: { account, jobs }, onClose, onChanged }: AccountDialogProps) {
  async function disable() {
    await changeAccount(account, { disabled: true })
    toast({ tone: 'good', title: say('accounts.isDisabled', { account }) })
    onChanged()
  }

  return (
    <Dialog title={say('accounts.disableQuestion', { account })} onClose={onClose}>
      <DialogForm
        action={say('accounts.disable')}
        onSubmit={disable}
        other={{ label: say('shell.cancel'), onClick: onClose }}
      >
        <ul class="consequences">
          <li>{say('accounts.disableSessions')}</li>
          <li>{jobs === 0 ? say('accounts.disableNoJobs') : say('accounts.willStop', { count: jobs })}</li>
          <li>{say('accounts.disableLinks')}</li>
          <li>{say('accounts.disableStays')}</li>
        </ul>
      </DialogForm>
    </Dialog>
  )
}

export function EnableDialog({ account: { account }, onClose, onChanged }: AccountDialogProps) {
  async function enable() {
    await changeAccount(account, { disabled: false })
    toast({ tone: 'good', title: say('accounts.isEnabled', { account }) })
    onChanged()
  }

  return (
    <Dialog title={say('accounts.enableQuestion', { account })} onClose={onClose}>
      <DialogForm
        action={say('accounts.enable')}
        onSubmit={enable}
        other={{ label: say('shell.cancel'), onClick: onClose }}
      >
        <p>{say('accounts.enableText')}</p>
      </DialogForm>
    </Dialog>
  )
}
