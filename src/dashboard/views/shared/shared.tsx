import { useState } from 'preact/hooks'
import type { FileRequestList } from '../../../protocol/file-requests.js'
import { routes } from '../../../protocol/routes.js'
import type { ShareList } from '../../../protocol/shares.js'
import { callApi } from '../../api.js'
import { Icon } from '../../parts/icon.js'
import { useLoaded } from '../../parts/loaded.js'
import { PickDialog } from '../../parts/pick-dialog.js'
import { say } from '../../words/say.js'
import { Links } from './links.js'
import { RequestDialog } from './request-dialog.js'
import { Requests } from './requests.js'
import { ShareDialog } from './share-dialog.js'

type Doing = { what: 'pick' | 'ask' } | { what: 'share'; name: string } | null

/** What was given to people without an account, and what was asked of them. */
export default function SharedView() {
  const [doing, setDoing] = useState<Doing>(null)
  const close = () => setDoing(null)
  const links = useLoaded('links', (signal) => callApi<ShareList>('GET', routes.shares, { signal }), { watch: true })
  const requests = useLoaded('requests', (signal) => callApi<FileRequestList>('GET', routes.requests, { signal }), {
    watch: true,
  })
  return (
    <>
      <header class="view-head">
        <h1>{say('view.shared')}</h1>
        <div class="buttons">
          <button type="button" onClick={() => setDoing({ what: 'ask' })}>
            <Icon name="upload" />
            {say('shared.ask')}
          </button>
          <button type="button" class="primary" onClick={() => setDoing({ what: 'pick' })}>
            <Icon name="link" />
            {say('shared.share')}
          </button>
        </div>
      </header>
      <Links loaded={links} />
      <Requests loaded={requests} />
      {doing?.what === 'pick' && (
        <PickDialog
          title={say('pick.title')}
          fileAction={(name) => say('pick.share', { name })}
          folderAction={say('pick.here')}
          onPick={(name) => setDoing({ what: 'share', name })}
          onClose={close}
        />
      )}
      {doing?.what === 'share' && <ShareDialog names={[doing.name]} onClose={close} onMade={links.reload} />}
      {doing?.what === 'ask' && <RequestDialog onClose={close} onMade={requests.reload} />}
    </>
  )
}
