import { useEffect, useRef, useState } from 'preact/hooks'
import type { ImportCheck } from '../../../protocol/import-checks.js'
import type { JobRecord } from '../../../protocol/jobs.js'
import { routes, tablePath } from '../../../protocol/routes.js'
import { callApi } from '../../api.js'
import { onJobEnd } from '../../live/job-store.js'
import { announceImport } from '../../parts/announce-import.js'
import { useLoaded } from '../../parts/loaded.js'
import { Failed, Loading } from '../../parts/states.js'
import { toastError } from '../../parts/toasts.js'
import { goTo, hrefWith } from '../../router.js'
import { say } from '../../words/say.js'
import { ImportFaults } from './import-faults.js'
import { ImportFields } from './import-fields.js'
import { type ChosenImport, checkBody, importHref, optionsOf, withOptions } from './import-options.js'
import { ImportPreviewTable } from './import-preview.js'
import { ImportsUnderWay } from './imports-under-way.js'

/** Imports a file into a table: how it is read can be seen and changed before. What is chosen stands in the address. */
export function ImportPage({ file, query }: { file: string; query: URLSearchParams }) {
  const options = optionsOf(query)
  const { checked, error, isChecking, recheck } = useCheck(file, options)
  const { failed, begin } = useImport(file, options, recheck)
  const change = (changes: Partial<ChosenImport>) => {
    const next = withOptions(options, changes)
    const text = Object.keys(next).length === 0 ? '' : JSON.stringify(next)
    goTo(hrefWith({ options: text }), { replace: true })
  }
  const mayImport = checked !== undefined && (checked.faults.count === 0 || options.skipBadLines === true)
  return (
    <>
      <header class="view-head">
        <div>
          <a class="back" href={routes.tables}>
            {say('import.back')}
          </a>
          <h1>{say('import.title', { file })}</h1>
        </div>
        <button type="button" class="primary" disabled={!mayImport || isChecking} onClick={begin}>
          {say('import.action')}
        </button>
      </header>
      {failed && (
        <p class="form-error" role="alert">
          {say('import.failed', { reason: failed })}
        </p>
      )}
      <ImportsUnderWay />
      <ImportFields file={file} options={options} checked={checked} onChange={change} />
      {error !== undefined && <Failed error={error} onRetry={recheck} />}
      {checked && error === undefined && (
        <ImportFaults checked={checked} options={options} isChecking={isChecking} onChange={change} />
      )}
      {!checked && error === undefined && (
        <>
          <p class="dim">{say('import.checking')}</p>
          <Loading />
        </>
      )}
      {checked && error === undefined && (
        <ImportPreviewTable checked={checked} options={options} isChecking={isChecking} onChange={change} />
      )}
    </>
  )
}

/** What an import would do; while it is being found out anew, the answer before. */
function useCheck(file: string, options: ChosenImport) {
  const body = checkBody(file, options)
  const headers = { Prefer: 'wait=60' }
  const { value, error, reload } = useLoaded(JSON.stringify(body), (signal) =>
    callApi<ImportCheck>('POST', routes.importCheck, { json: body, headers, signal }),
  )
  const last = useRef<ImportCheck | undefined>(undefined)
  if (value) last.current = value
  return { checked: last.current, error, isChecking: value === undefined && error === undefined, recheck: reload }
}

/** Begins the import, and says why it failed. When it is done, the table is opened. */
function useImport(file: string, options: ChosenImport, recheck: () => void) {
  const [failed, setFailed] = useState<string | null>(null)
  const begun = useRef<string | null>(null)
  useEffect(
    () =>
      onJobEnd(({ id, state, table, error }) => {
        if (id !== begun.current) return
        begun.current = null
        if (state === 'done' && table !== null) goTo(tablePath(table))
        if (state !== 'failed') return
        setFailed(error?.message ?? '')
        recheck()
      }),
    [recheck],
  )

  async function begin() {
    setFailed(null)
    try {
      const job = await callApi<JobRecord>('POST', routes.import, { json: { filename: file, ...options } })
      begun.current = job.id
      announceImport(job, importHref(file, options))
    } catch (error) {
      toastError(say('import.failed', { reason: '' }), error)
    }
  }
  return { failed, begin }
}
