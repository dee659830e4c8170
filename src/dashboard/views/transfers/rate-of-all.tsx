import { useMemo } from 'preact/hooks'
import { liveJobs, myLiveJobs, revision, totalRates } from '../../live/job-store.js'
import { LazyChart } from '../../parts/lazy-chart.js'
import { formatRate } from '../../words/amounts.js'
import { say } from '../../words/say.js'

/** The total rate, with a chart of the last minutes. */
export function RateOfAll({ everyone }: { everyone: boolean }) {
  revision.value
  const jobs = everyone ? liveJobs.value : myLiveJobs.value
  const now = jobs.reduce((sum, { record }) => sum + (record.state === 'running' ? (record.rate ?? 0) : 0), 0)
  const rates = useMemo(
    () => ({
      times: totalRates.map(({ at }) => at),
      values: totalRates.map(({ all, mine }) => (everyone ? all : mine)),
    }),
    [everyone, totalRates.at(-1)?.at],
  )
  const label = say(everyone ? 'transfers.rateOfServer' : 'transfers.rateOfMine')
  return (
    <section class="panel total" aria-label={label}>
      <div class="total-now">
        <span class="dim">{say(everyone ? 'transfers.wholeServer' : 'transfers.allMine')}</span>
        <strong>{formatRate(now)}</strong>
      </div>
      <LazyChart {...rates} label={label} format={formatRate} kind="rate" seconds={120} height={96} />
    </section>
  )
}
