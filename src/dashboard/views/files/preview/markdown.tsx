import type { Token, Tokens } from 'marked'
import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import { say } from '../../../words/say.js'
import { decodeEntities, known, parseMarkdown, targetOf } from './markdown-source.js'

export interface MarkdownProps {
  text: string
  /** The address of the document, from which its links and images are. */
  path: string
}

/**
 * A document in Markdown. Each element is built here from a part of the document: its HTML is shown as it is written, its links leave the page
 * without telling from where, and images are loaded only from beside it.
 */
export default function Markdown({ text, path }: MarkdownProps) {
  const parts = useMemo(() => parseMarkdown(text), [text])
  return <div class="markdown">{parts === null ? <pre>{text}</pre> : blocks(parts, { path, depth: 0 })}</div>
}

interface Place {
  path: string
  depth: number
}

function blocks(tokens: readonly Token[] | undefined, { path, depth }: Place): ComponentChildren {
  const place = { path, depth: depth + 1 }
  return tokens?.map((token, index) => <Part key={index} token={token} place={place} />)
}

function Part({ token, place }: { token: Token; place: Place }) {
  if (place.depth > mostDepth) return token.raw
  const part = known(token)
  switch (part.type) {
    case 'heading': {
      // The name of the file is the heading above.
      const Heading = `h${Math.min(6, part.depth + 2)}` as 'h3'
      return <Heading data-level={part.depth}>{blocks(part.tokens, place)}</Heading>
    }
    case 'paragraph':
      return <p>{blocks(part.tokens, place)}</p>
    case 'blockquote':
      return <blockquote>{blocks(part.tokens, place)}</blockquote>
    case 'list':
      return <List list={part} place={place} />
    case 'checkbox':
      return <input type="checkbox" checked={part.checked} disabled aria-label={say('files.task')} />
    case 'table':
      return <Table table={part} place={place} />
    case 'code':
      return <pre>{part.text}</pre>
    case 'hr':
      return <hr />
    case 'html':
      return part.block ? <pre class="markdown-html">{part.raw}</pre> : part.raw
    case 'strong':
      return <strong>{blocks(part.tokens, place)}</strong>
    case 'em':
      return <em>{blocks(part.tokens, place)}</em>
    case 'del':
      return <del>{blocks(part.tokens, place)}</del>
    case 'codespan':
      return <code>{part.text}</code>
    case 'br':
      return <br />
    case 'link':
      return <Link link={part} place={place} />
    case 'image':
      return <Image image={part} place={place} />
    case 'escape':
      return part.text
    case 'text':
      return 'tokens' in part && part.tokens ? blocks(part.tokens, place) : decodeEntities(part.text)
    default:
      return null
  }
}

function List({ list: { ordered, start, items }, place }: { list: Tokens.List; place: Place }) {
  const rows = items.map((item, index) => (
    <li key={index} class={item.task ? 'markdown-task' : undefined}>
      {blocks(item.tokens, place)}
    </li>
  ))
  return ordered ? <ol start={Number(start) || 1}>{rows}</ol> : <ul>{rows}</ul>
}

function Table({ table: { header, rows }, place }: { table: Tokens.Table; place: Place }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keys
    <section class="markdown-table" tabIndex={0} aria-label={say('files.tableOfDocument')}>
      <table>
        <thead>
          <tr>
            {header.map(({ tokens, align }, column) => (
              <th key={column} scope="col" data-align={align}>
                {blocks(tokens, place)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map(({ tokens, align }, column) => (
                <td key={column} data-align={align}>
                  {blocks(tokens, place)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Link({ link: { href, tokens }, place }: { link: Tokens.Link; place: Place }) {
  const target = targetOf(href, place.path)
  const words = blocks(tokens, place)
  if (target?.kind === 'beside') return <a href={target.href}>{words}</a>
  if (!target) return <span>{words}</span>
  return (
    <a href={target.href} target="_blank" rel="noopener noreferrer nofollow" title={target.href}>
      {words}
    </a>
  )
}

function Image({ image: { href, text }, place }: { image: Tokens.Image; place: Place }) {
  const target = targetOf(href, place.path)
  const words = decodeEntities(text)
  if (target?.kind === 'beside') return <img src={`${target.path}?preview`} alt={words} loading="lazy" />
  return <span class="markdown-no-image">{say('files.imageElsewhere', { name: words || href })}</span>
}

/** What is nested deeper is shown as it is written. */
const mostDepth = 24
