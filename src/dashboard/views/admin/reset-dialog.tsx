import { useState } from 'preact/hooks'
import type { InvitationRecord } from '../../../protocol/invitations.js'
import { callApi } from '../../api.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { say } from '../../words/say.js'
import { accountPath } from './account-requests.js'
import { InvitationLink } from './invitation-link.js'
import type { AccountDialogProps } from './quota-dialog.js'

/** Makes a link by which the owner of an account sets a new password. */
export function ResetDialog({ account: { account, invitedUntil }, onClose, onChanged }: AccountDialogProps) {
  const [days, setDays] = useState('7')
  const [invitation, setInvitation] = useState<InvitationRecord | null>(null)

  async function invite() {
    const json = { expiresIn: Number(days) * 86_400 }
    setInvitation(await callApi<InvitationRecord>('POST', accountPath(account, 'invitation'), { json }))
  }

  return (
    <Dialog title={say('accounts.resetOf', { account })} onClose={invitation ? onChanged : onClose}>
      {invitation ? (
        <InvitationLink invitation={invitation} onClose={onChanged} />
      ) : (
        <DialogForm
          action={say('accounts.makeLink')}
          onSubmit={invite}
          other={{ label: say('shell.cancel'), onClick: onClose }}
        >
          <p>{say('accounts.resetText')}</p>
          {invitedUntil !== null && <p class="hint">{say('accounts.resetEarlier')}</p>}
          <label class="field">
            <span>{say('accounts.worksFor')}</span>
            <select value={days} onChange={(event) => setDays(event.currentTarget.value)}>
              {[1, 7, 30].map((count) => (
                <option key={count} value={String(count)}>
                  {say('amount.days', { count })}
                </option>
              ))}
            </select>
          </label>
        </DialogForm>
      )}
    </Dialog>
  )
}
