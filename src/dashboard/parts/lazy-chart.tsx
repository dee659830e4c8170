import { useEffect, useState } from 'preact/hooks'
import type { ChartProps } from './chart.js'

type ChartPart = (props: ChartProps) => preact.JSX.Element

/** The chart, whose library is loaded when the first one is shown. */
export function LazyChart(props: ChartProps) {
  const [Part, setPart] = useState<{ chart: ChartPart } | null>(null)
  useEffect(() => {
    let here = true
    import('./chart.js').then(({ default: chart }) => here && setPart({ chart }))
    return () => {
      here = false
    }
  }, [])
  if (!Part) return <div class="chart" style={{ height: `${props.height ?? 180}px` }} />
  return <Part.chart {...props} />
}
