import { useState } from 'preact/hooks'
import type { CreatedAccountRecord, InvitationRecord } from '../../../protocol/invitations.js'
import { type Role, roles } from '../../../protocol/roles.js'
import { routes } from '../../../protocol/routes.js'
import { callApi } from '../../api.js'
import { Dialog } from '../../parts/dialog.js'
import { DialogForm } from '../../parts/dialog-form.js'
import { say } from '../../words/say.js'
import { InvitationLink } from './invitation-link.js'
import { quotaOf } from './quota-dialog.js'

/** Makes an account, and then shows the link by which its owner sets the password. */
export function NewAccountDialog({ onClose, onCreated }: { onClose(): void; onCreated(): void }) {
  const [invitation, setInvitation] = useState<InvitationRecord | null>(null)
  const [username, setUsername] = useState('')
  const [role, setRole] = useState<Role>('user')
  const [name, setName] = useState('')
  const [quota, setQuota] = useState('')

  async function create() {
    const json = {
      username: username.trim(),
      role,
      quota: quotaOf(quota),
      ...(name.trim() === '' ? {} : { name: name.trim() }),
      invitation: {},
    }
    const made = await callApi<CreatedAccountRecord>('POST', routes.accounts, { json })
    onCreated()
    setInvitation(made.invitation)
  }

  return (
    <Dialog title={say(invitation ? 'accounts.ready' : 'accounts.new')} onClose={onClose}>
      {invitation ? (
        <InvitationLink invitation={invitation} onClose={onClose} />
      ) : (
        <DialogForm
          action={say('accounts.create')}
          onSubmit={create}
          other={{ label: say('shell.cancel'), onClick: onClose }}
        >
          <label class="field">
            <span>{say('accounts.username')}</span>
            <input
              value={username}
              onInput={(event) => setUsername(event.currentTarget.value)}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              required
              autofocus
            />
          </label>
          <label class="field">
            <span>{say('accounts.name')}</span>
            <input value={name} onInput={(event) => setName(event.currentTarget.value)} autocomplete="off" />
          </label>
          <label class="field">
            <span>{say('accounts.role')}</span>
            <select value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
              {roles.map((one) => (
                <option key={one} value={one}>
                  {say(`accounts.role.${one}`)}
                </option>
              ))}
            </select>
          </label>
          <label class="field">
            <span>{say('accounts.quota')}</span>
            <input
              value={quota}
              onInput={(event) => setQuota(event.currentTarget.value)}
              placeholder={say('accounts.quotaOfServer')}
              autocomplete="off"
            />
          </label>
          <p class="hint">{say('accounts.quotaHint')}</p>
          <p class="hint">{say('accounts.linkHint')}</p>
        </DialogForm>
      )}
    </Dialog>
  )
}
