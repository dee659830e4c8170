import { effect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { theme } from '../theme.js'

export interface ChartProps {
  /** Seconds since 1970, ascending, with the values of a series. */
  times: number[]
  values: number[]
  label: string
  /** Formats a value of the series. */
  format(value: number): string
  /** `rate`: bytes per second, live; `counts`: numbers per day or longer. */
  kind: 'rate' | 'counts'
  height?: number
  /** The minimum time span, in seconds, up to the last point. */
  seconds?: number
}

/** A chart over time in the colors of the page. A text next to it has its content, for users who cannot see it. */
export default function Chart({ times, values, label, format, kind, height = 180, seconds = 0 }: ChartProps) {
  const ref = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const data = useRef<uPlot.AlignedData>([times, values])
  data.current = [times, values]

  useEffect(() => {
    const box = ref.current
    if (!box) return
    const rebuild = () => {
      plot.current?.destroy()
      plot.current = new uPlot(optionsOf(box, { label, format, kind, height, seconds }), data.current, box)
    }
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const endEffect = effect(() => {
      theme.value
      rebuild()
    })
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height }))
    resize.observe(box)
    scheme.addEventListener('change', rebuild)
    return () => {
      endEffect()
      resize.disconnect()
      scheme.removeEventListener('change', rebuild)
      plot.current?.destroy()
      plot.current = null
    }
  }, [label, kind, height, seconds])

  useEffect(() => {
    plot.current?.setData([times, values])
  }, [times, values])

  return <div ref={ref} class="chart" role="img" aria-label={label} style={{ height: `${height}px` }} />
}

type Look = Required<Pick<ChartProps, 'label' | 'format' | 'kind' | 'height' | 'seconds'>>

function optionsOf(box: HTMLElement, { label, format, kind, height, seconds }: Look): uPlot.Options {
  const style = getComputedStyle(box)
  const accent = style.outlineColor
  const axis = {
    stroke: style.color,
    font: `11px ${style.fontFamily}`,
    grid: { stroke: style.borderTopColor, width: 1 },
    ticks: { show: false },
  }
  return {
    width: box.clientWidth,
    height,
    legend: { show: false },
    // Half of the last label extends beyond its point.
    padding: [10, 34, 0, 0],
    cursor: { drag: { x: false, y: false }, points: { show: kind === 'rate' } },
    scales: {
      x: { time: true, range: kind === 'rate' ? lastSeconds(seconds) : wholeBars },
      y: { range: (_plot, _least, most) => [0, Math.max(most * 1.12, kind === 'rate' ? 1024 : 1)] },
    },
    axes: [
      { ...axis, size: 28, space: kind === 'rate' ? 110 : 90, values: kind === 'rate' ? clockTicks : dateTicks },
      {
        ...axis,
        size: 78,
        space: 34,
        incrs: kind === 'rate' ? byteSteps : countSteps,
        values: (_plot, ticks) => ticks.map(format),
      },
    ],
    series: [
      {},
      {
        label,
        stroke: accent,
        width: kind === 'rate' ? 2 : 1,
        fill: withAlpha(accent, kind === 'rate' ? 0.14 : 0.65),
        points: { show: false },
        ...(kind === 'counts' && uPlot.paths.bars ? { paths: uPlot.paths.bars({ size: [0.8, 60] }) } : {}),
      },
    ],
  }
}

/** Ends now while there is no data. */
function lastSeconds(seconds: number): uPlot.Range.Function {
  return ({ data: [times] }, least, most) => {
    const now = Date.now() / 1000
    return times.length > 0 ? [Math.min(least, most - seconds), most] : [now - Math.max(seconds, 1), now]
  }
}

/** A bar is centered on its time: half of the first and last would be cut off. */
const wholeBars: uPlot.Range.Function = ({ data: [times] }, least, most) => {
  const half = times.length > 1 ? (times[1]! - times[0]!) / 2 : 43_200
  return [least - half, most + half]
}

/** The page's color is `rgb(…)`. */
function withAlpha(color: string, alpha: number): string {
  return color.replace(/^rgb\((.+)\)$/, (_all, parts: string) => `rgba(${parts}, ${alpha})`)
}

const byteSteps = [0, 1, 2, 3, 4].flatMap((power) =>
  [1, 2, 5, 10, 20, 50, 100, 200, 500].map((one) => one * 1024 ** power),
)
const countSteps = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((power) => [1, 2, 5].map((one) => one * 10 ** power))

function clockTicks(_plot: uPlot, ticks: number[]): string[] {
  return ticks.map((at) => new Date(at * 1000).toLocaleTimeString('en-GB'))
}

function dateTicks(_plot: uPlot, ticks: number[]): string[] {
  return ticks.map((at) => new Date(at * 1000).toLocaleDateString('en-CA', { timeZone: 'UTC' }))
}
