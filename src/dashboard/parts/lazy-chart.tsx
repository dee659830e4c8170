import type { ChartProps } from './chart.js'
import { useModule } from './use-module.js'

const load = () => import('./chart.js')

/**
 * The chart, whose library is loaded when the first one is shown. If the server does not answer, its place stays empty
 * until the connection is restored.
 */
export function LazyChart(props: ChartProps) {
  const { part: Chart } = useModule(load)
  if (!Chart) return <div class="chart" style={{ height: `${props.height ?? 180}px` }} />
  return <Chart {...props} />
}
