import type { InvitationRecord } from '../../../protocol/invitations.js'
import { CopyField } from '../../parts/copy-field.js'
import { formatWholeTime } from '../../words/format.js'
import { phrase, say } from '../../words/say.js'

/** A link that sets a password, right after it was made: the server does not have it any more. */
export function InvitationLink({ invitation, onClose }: { invitation: InvitationRecord; onClose(): void }) {
  const { account, url, expiresAt } = invitation
  return (
    <div class="stack">
      <CopyField text={url} label={say('accounts.link')} />
      <p class="hint">
        {phrase('accounts.linkText', { account: <strong>{account}</strong>, time: formatWholeTime(expiresAt) })}{' '}
        {say('accounts.linkOnce')}
      </p>
      <div class="buttons">
        <button type="button" class="primary" onClick={onClose}>
          {say('accounts.done')}
        </button>
      </div>
    </div>
  )
}
