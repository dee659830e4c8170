import { jobKinds, jobStates } from '../../../protocol/job-kinds.js'
import { isProblemCode, problems } from '../../../protocol/problems.js'
import { useMedia } from '../../parts/media.js'
import { goTo, hrefWith } from '../../router.js'
import { say } from '../../words/say.js'
import { ages, isFiltered, type JobQuery } from './job-query.js'

export interface TransferFiltersProps {
  query: JobQuery
  /** Whether the jobs of all accounts are listed. */
  everyone: boolean
  /** That have jobs in the list. */
  accounts: readonly string[]
  /** Codes of failures in the list. */
  errors: readonly string[]
}

/** What the list shows: kind, state, age, failure, and of everyone’s jobs whose. The address has it. On a phone they are folded until they are wanted. */
export function TransferFilters(props: TransferFiltersProps) {
  const isNarrow = useMedia('(max-width: 44rem)')
  if (!isNarrow) return <Choices {...props} />
  return (
    <details class="filters-box" open={isFiltered(props.query)}>
      <summary>{say('transfers.filters')}</summary>
      <Choices {...props} />
    </details>
  )
}

function Choices({ query, everyone, accounts, errors }: TransferFiltersProps) {
  const { kind, state, account, since, error, grouped } = query
  return (
    <div class="filters">
      <Choice
        name="kind"
        label={say('transfers.kind')}
        value={kind}
        none={say('transfers.kind.any')}
        choices={jobKinds.map((one) => [one, say(`kinds.${one}`)])}
      />
      <Choice
        name="state"
        label={say('transfers.state')}
        value={state}
        none={say('transfers.state.any')}
        choices={jobStates.map((one) => [one, say(`state.${one}`)])}
      />
      <Choice
        name="since"
        label={say('transfers.ended')}
        value={since}
        none={say('transfers.ended.any')}
        choices={sinceChoices.map((one) => [one, say(`transfers.ended.${one}`)])}
      />
      <Choice
        name="error"
        label={say('transfers.failure')}
        value={error}
        none={say('transfers.failure.any')}
        choices={withChosen(errors, error).map((code) => [code, isProblemCode(code) ? problems[code].title : code])}
      />
      {everyone && (
        <>
          <Choice
            name="account"
            label={say('transfers.account')}
            value={account}
            none={say('transfers.account.any')}
            choices={withChosen(accounts, account).map((one) => [one, one])}
          />
          <label class="check">
            <input
              type="checkbox"
              checked={grouped}
              onChange={(event) => goTo(hrefWith({ group: event.currentTarget.checked ? '' : 'time' }))}
            />
            <span>{say('transfers.byAccount')}</span>
          </label>
        </>
      )}
    </div>
  )
}

interface ChoiceProps {
  /** The parameter of the address. */
  name: string
  label: string
  value: string
  /** The words for no choice. */
  none: string
  /** Values with their words. */
  choices: readonly (readonly [string, string])[]
}

function Choice({ name, label, value, none, choices }: ChoiceProps) {
  return (
    <label class="inline-field">
      <span>{label}</span>
      <select value={value} onChange={(event) => goTo(hrefWith({ [name]: event.currentTarget.value }))}>
        <option value="">{none}</option>
        {choices.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </label>
  )
}

/** The one of the address may have no job in the list. */
function withChosen(found: readonly string[], chosen: string): string[] {
  const all = new Set(found)
  if (chosen !== '') all.add(chosen)
  return [...all].sort()
}

const sinceChoices = Object.keys(ages) as (keyof typeof ages)[]
