import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import { Failed, Loading } from './states.js'
import { type LoadModule, useModule } from './use-module.js'

/** A view whose code is loaded when it is first shown. `load` imports its module. */
export function lazyView<Props extends object>(load: LoadModule<ComponentType<Props>>) {
  return function LazyView(props: Props) {
    const { part: View, error, retry } = useModule(load)
    useEffect(() => {
      if (View) focusHeading()
    }, [View])
    if (View) return <View {...props} />
    return error === undefined ? <Loading /> : <Failed error={error} onRetry={retry} />
  }
}

/** After a navigation, the heading takes the focus. It was not there yet, so the place around it has it. */
function focusHeading(): void {
  const heading = document.querySelector<HTMLElement>('#main h1')
  if (!heading || document.activeElement?.id !== 'main') return
  heading.tabIndex = -1
  heading.focus({ preventScroll: true })
}
