import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { healed } from '../live/shared-stream.js'
import { Failed, Loading } from './states.js'

/**
 * A view whose code is loaded when it is first shown, and asked for again when the connection is restored. `load` imports the
 * module of the view.
 */
export function lazyView<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>) {
  let loaded: ComponentType<Props> | undefined
  return function LazyView(props: Props) {
    const [isLoaded, setLoaded] = useState(loaded !== undefined)
    const [error, setError] = useState<unknown>()
    const [attempt, setAttempt] = useState(0)
    useEffect(() => {
      if (loaded) return
      let isHere = true
      load().then(
        (module) => {
          loaded = module.default
          if (isHere) setLoaded(true)
        },
        (reason: unknown) => isHere && setError(reason),
      )
      return () => {
        isHere = false
      }
    }, [attempt, healed.value])
    useEffect(() => {
      if (isLoaded) focusHeading()
    }, [isLoaded])
    const Part = loaded
    if (Part) return <Part {...props} />
    if (error === undefined) return <Loading />
    return <Failed error={error} onRetry={() => setAttempt((before) => before + 1)} />
  }
}

/** After a navigation, the heading takes the focus. It was not there yet, so the place around it has it. */
function focusHeading(): void {
  const heading = document.querySelector<HTMLElement>('#main h1')
  if (!heading || document.activeElement?.id !== 'main') return
  heading.tabIndex = -1
  heading.focus({ preventScroll: true })
}
