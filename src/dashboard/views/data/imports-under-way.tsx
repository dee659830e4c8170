import { useState } from 'preact/hooks'
import { myLiveJobs } from '../../live/job-store.js'
import { say } from '../../words/say.js'
import { JobDetails } from '../transfers/job-details.js'
import { TransferRow } from '../transfers/transfer-row.js'

/** The running imports. Opens the details of each, which stay open after the import ends. */
export function ImportsUnderWay() {
  const [opened, setOpened] = useState<string | null>(null)
  const imports = myLiveJobs.value.filter(({ record }) => record.kind === 'import')
  return (
    <>
      {imports.length > 0 && (
        <section class="panel" aria-labelledby="imports">
          <header class="panel-head">
            <h2 id="imports">{say('data.importing')}</h2>
          </header>
          <ul class="plain-list">
            {imports.map(({ record }) => (
              <li key={record.id}>
                <TransferRow job={record} onOpen={setOpened} onLimit={hasNoRate} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {opened && <JobDetails key={opened} id={opened} onClose={() => setOpened(null)} onLimit={hasNoRate} />}
    </>
  )
}

/** Only transfers can be limited: an import has no button for it. */
function hasNoRate(): void {}
