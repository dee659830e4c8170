import { useEffect, useState } from 'preact/hooks'
import { publishedPath } from '../../../protocol/routes.js'
import { Icon } from '../../parts/icon.js'
import { goTo } from '../../router.js'
import { say } from '../../words/say.js'

/** Asks for the name of an ops account. */
export function OpsForm({ ops }: { ops: string }) {
  const [text, setText] = useState(ops)
  const [error, setError] = useState<string | null>(null)
  useEffect(() => {
    setText(ops)
    setError(null)
  }, [ops])

  function submit(event: SubmitEvent) {
    event.preventDefault()
    // Also accepts the notation of the command line.
    const name = text.trim().replace(/^ops:|\/+$/gi, '')
    if (isUsername(name)) goTo(hrefOfOps(name))
    else setError(say('files.noAccountName', { name }))
  }

  return (
    <form class="ops-form" onSubmit={submit}>
      <label class="field">
        <span>{say('files.opsAccount')}</span>
        <input
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          autocapitalize="none"
          autocomplete="off"
          spellcheck={false}
          required
          aria-invalid={error !== null}
          aria-describedby={error ? 'ops-error' : undefined}
        />
      </label>
      <button type="submit" class="primary">
        {say('files.showFiles')}
      </button>
      {error && (
        <p id="ops-error" class="form-error" role="alert">
          <Icon name="alert" />
          {error}
        </p>
      )}
    </form>
  )
}

/** The address of what an account publishes. */
export function hrefOfOps(ops: string): string {
  return `${publishedPath(ops)}/`
}

export function isUsername(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/.test(text)
}
