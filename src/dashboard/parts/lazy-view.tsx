import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { healed } from '../live/shared-stream.js'
import { Failed, Loading } from './states.js'

export type ViewPart = () => ComponentChildren

/** A view whose code is loaded when it is first shown, and asked for again when the connection is restored. */
export function LazyView({ load }: { load(): Promise<ViewPart> }) {
  const [loaded, setLoaded] = useState<{ Part?: ViewPart; error?: unknown }>({})
  const [attempt, setAttempt] = useState(0)
  const { Part, error } = loaded
  useEffect(() => {
    let here = true
    load().then(
      (part) => here && setLoaded((before) => (before.Part ? before : { Part: part })),
      (reason: unknown) => here && setLoaded((before) => (before.Part ? before : { error: reason })),
    )
    return () => {
      here = false
    }
  }, [attempt, healed.value])
  useEffect(() => {
    // As after any other navigation, unless the person has gone on meanwhile.
    const heading = Part && document.querySelector<HTMLElement>('#main h1')
    if (!heading || document.activeElement !== document.body) return
    heading.tabIndex = -1
    heading.focus({ preventScroll: true })
  }, [Part])
  if (Part) return <Part />
  if (error === undefined) return <Loading />
  return <Failed error={error} onRetry={() => setAttempt((before) => before + 1)} />
}
