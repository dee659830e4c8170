import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { routes } from '../../../protocol/routes.js'
import type { LogLine } from '../../../protocol/server-state.js'
import { formatClock } from '../../words/format.js'
import { say } from '../../words/say.js'

const choices = ['all', 'work', 'faults'] as const
type Choice = (typeof choices)[number]

/** The last lines of the log, live. `node`: the server that is asked, where there may be several. */
export function LogPanel({ node }: { node: string | null }) {
  const [choice, setChoice] = useState<Choice>('all')
  const [isPaused, setPaused] = useState(false)
  const { lines, state } = useLog()
  /** The lines when it was paused. */
  const [held, setHeld] = useState<readonly LogLine[]>([])
  const shown = (isPaused ? held : lines).filter((line) => fits(line, choice))
  const late = isPaused ? lines.length - lines.findLastIndex(({ id }) => id === held.at(-1)?.id) - 1 : 0

  function togglePause() {
    setHeld(lines)
    setPaused(!isPaused)
  }

  return (
    <section class="panel" aria-labelledby="log">
      <header class="panel-head">
        <h2 id="log">
          {say('server.log')}
          {node && <span class="dim"> {say('server.logOf', { node })}</span>}
        </h2>
        <span class="dim small" role="status">
          {isPaused ? say('server.paused', { count: late }) : say(`server.${state}`)}
        </span>
        <label class="inline-field">
          <span class="hidden">{say('server.lines')}</span>
          <select value={choice} onChange={(event) => setChoice(event.currentTarget.value as Choice)}>
            {choices.map((one) => (
              <option key={one} value={one}>
                {say(`server.lines.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <button type="button" onClick={togglePause}>
          {say(isPaused ? 'server.resume' : 'server.pause')}
        </button>
      </header>
      <Lines lines={shown} />
    </section>
  )
}

/** Follows its end, unless it was scrolled away from there. */
function Lines({ lines }: { lines: readonly LogLine[] }) {
  const box = useRef<HTMLElement>(null)
  const isAtEnd = useRef(true)
  useLayoutEffect(() => {
    if (box.current && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight
  })
  return (
    <section
      ref={box}
      class="log-lines"
      aria-label={say('server.linesOfLog')}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < 20
      }}
    >
      {lines.length === 0 && <span class="dim">{say('server.noLines')}</span>}
      {lines.map(({ id, at, level, message, details }) => (
        <div key={id} class={`log-line ${level}`}>
          <time dateTime={at}>{formatClock(at)}</time>
          <span>
            {level !== 'info' && <strong>{level} </strong>}
            {message} <span class="dim">{detailWords(details)}</span>
          </span>
        </div>
      ))}
    </section>
  )
}

function useLog(): { lines: readonly LogLine[]; state: 'connecting' | 'live' } {
  const [lines, setLines] = useState<readonly LogLine[]>([])
  const [state, setState] = useState<'connecting' | 'live'>('connecting')
  useEffect(() => {
    // The browser connects again, and sends the id of the last line.
    const source = new EventSource(`${routes.serverLogEvents}?limit=${linesKept}`)
    let news: LogLine[] = []
    let frame = 0
    source.onopen = () => setState('live')
    source.onerror = () => setState('connecting')
    source.addEventListener('line', ({ data }: MessageEvent<string>) => {
      news.push(JSON.parse(data))
      // One rendering for lines that come together.
      frame ||= requestAnimationFrame(() => {
        const added = news
        news = []
        frame = 0
        setLines((before) => [...before, ...added].slice(-linesKept))
      })
    })
    return () => {
      cancelAnimationFrame(frame)
      source.close()
    }
  }, [])
  return { lines, state }
}

function fits({ level, details }: LogLine, choice: Choice): boolean {
  if (choice === 'all') return true
  return choice === 'work' ? details.method === undefined : level !== 'info'
}

/** As on a terminal: what the message has already is left out. */
function detailWords(details: LogLine['details']): string {
  return Object.entries(details)
    .filter(([name, value]) => value !== null && !inMessage.includes(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
}

const inMessage = ['method', 'path', 'status', 'kind', 'file', 'state']
const linesKept = 400
