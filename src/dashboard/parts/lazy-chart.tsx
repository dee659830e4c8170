import { useEffect, useState } from 'preact/hooks'
import { healed } from '../live/shared-stream.js'
import type { ChartProps } from './chart.js'

type ChartPart = (props: ChartProps) => preact.JSX.Element

/**
 * The chart, whose library is loaded when the first one is shown. If the server does not answer, its place stays empty
 * until the connection is restored.
 */
export function LazyChart(props: ChartProps) {
  const [Part, setPart] = useState<{ chart: ChartPart } | null>(null)
  useEffect(() => {
    let here = true
    import('./chart.js').then(
      ({ default: chart }) => here && setPart((before) => before ?? { chart }),
      () => {},
    )
    return () => {
      here = false
    }
  }, [healed.value])
  if (!Part) return <div class="chart" style={{ height: `${props.height ?? 180}px` }} />
  return <Part.chart {...props} />
}
