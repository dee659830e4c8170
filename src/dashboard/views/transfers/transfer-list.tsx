import { useMemo } from 'preact/hooks'
import type { JobRecord } from '../../../protocol/jobs.js'
import { useMedia } from '../../parts/media.js'
import { VirtualList } from '../../parts/virtual-list.js'
import { say } from '../../words/say.js'
import { type ListedJobs, type ListedRow, rowsByAccount, rowsByTime, type SectionRow } from './job-sections.js'
import { TransferRow } from './transfer-row.js'

export interface TransferListProps extends ListedJobs {
  grouped: boolean
  showAccount: boolean
  /** The ids of the selected jobs. */
  selected: ReadonlySet<string>
  onSelect(ids: readonly string[], isSelected: boolean): void
  onOpen(id: string): void
  onLimit(id: string): void
  /** Called when the last rows come into view. */
  onNearEnd(): void
}

/** All jobs in one list, by time or by account, of which only the rows in view are rendered. */
export function TransferList(props: TransferListProps) {
  const { running, ended, grouped, showAccount, selected, onSelect, onOpen, onLimit, onNearEnd } = props
  const isNarrow = useMedia('(max-width: 44rem)')
  const rows = useMemo(() => {
    const jobs = { running, ended }
    return grouped ? rowsByAccount(jobs) : rowsByTime(jobs, new Date())
  }, [running, ended, grouped])
  const rowHeight = isNarrow ? 76 : 36
  return (
    <VirtualList
      items={rows}
      keyOf={keyOf}
      rowHeight={rowHeight}
      heightOf={(row) => ('head' in row ? headHeight : rowHeight)}
      rowsShown={Math.max(6, Math.floor((innerHeight - 260) / rowHeight))}
      label={say('transfers.list')}
      onNearEnd={onNearEnd}
    >
      {(row) =>
        'head' in row ? (
          <SectionHead row={row} running={running} selected={selected} onSelect={onSelect} />
        ) : (
          <TransferRow
            job={row.job}
            showAccount={showAccount && !grouped}
            isSelected={selected.has(row.job.id)}
            onSelect={(id, isSelected) => onSelect([id], isSelected)}
            onOpen={onOpen}
            onLimit={onLimit}
          />
        )
      }
    </VirtualList>
  )
}

interface SectionHeadProps {
  row: SectionRow
  running: readonly JobRecord[]
  selected: ReadonlySet<string>
  onSelect(ids: readonly string[], isSelected: boolean): void
}

/** That of the running jobs selects all of them. */
function SectionHead({ row: { head, jobs, isRunning }, running, selected, onSelect }: SectionHeadProps) {
  const ids = isRunning ? running.filter(({ endedAt }) => endedAt === null).map(({ id }) => id) : []
  return (
    <div class="section-head">
      {ids.length > 0 && (
        <label class="transfer-check">
          <span class="hidden">{say('transfers.selectRunning')}</span>
          <input
            type="checkbox"
            checked={ids.every((id) => selected.has(id))}
            onChange={(event) => onSelect(ids, event.currentTarget.checked)}
          />
        </label>
      )}
      <h2>{head}</h2>
      <span class="dim">{say('transfers.jobs', { count: jobs })}</span>
    </div>
  )
}

/** Pixels, on a phone as on a desktop. */
const headHeight = 36

function keyOf({ key }: ListedRow): string {
  return key
}
