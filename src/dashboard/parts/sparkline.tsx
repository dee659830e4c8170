import { useEffect, useRef } from 'preact/hooks'

/** A small chart of a rate. */
export function Sparkline({ rates, revision }: { rates: readonly { at: number; rate: number }[]; revision: number }) {
  const ref = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    if (ref.current) draw(ref.current, rates)
  }, [rates, revision])
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas takes no focus
  return <canvas ref={ref} class="sparkline" width={width * 2} height={height * 2} aria-hidden="true" />
}

const width = 96
const height = 28
const secondsShown = 60

function draw(canvas: HTMLCanvasElement, rates: readonly { at: number; rate: number }[]): void {
  const context = canvas.getContext('2d')
  if (!context) return
  context.setTransform(2, 0, 0, 2, 0, 0)
  context.clearRect(0, 0, width, height)
  if (rates.length < 2) return
  const last = rates.at(-1)!.at
  const from = Math.max(rates[0]!.at, last - secondsShown)
  const span = Math.max(5, last - from)
  const most = Math.max(1, ...rates.map(({ rate }) => rate))
  const points = rates
    .filter(({ at }) => at >= from)
    .map(({ at, rate }) => [((at - from) / span) * width, height - 2 - (rate / most) * (height - 5)] as const)
  const style = getComputedStyle(canvas)
  context.beginPath()
  for (const [x, y] of points) context.lineTo(x, y)
  context.strokeStyle = style.color
  context.lineWidth = 1.5
  context.lineJoin = 'round'
  context.stroke()
  context.lineTo(points.at(-1)![0], height)
  context.lineTo(points[0]![0], height)
  context.globalAlpha = 0.14
  context.fillStyle = style.color
  context.fill()
  context.globalAlpha = 1
}
