import type { ComponentType } from 'preact'
import type { FileRecord } from '../../../../protocol/files.js'
import { errorText } from '../../../api.js'
import { Icon } from '../../../parts/icon.js'
import { useLoaded } from '../../../parts/loaded.js'
import { Loading } from '../../../parts/states.js'
import { useModule } from '../../../parts/use-module.js'
import { say } from '../../../words/say.js'
import { baseOf } from '../entries.js'
import { rowsOfCsv } from './csv-rows.js'
import { kindOfPreview } from './preview-kind.js'
import { loadText } from './preview-text.js'

interface PreviewContentProps {
  file: FileRecord
  /** The address of the file. */
  path: string
}

/** A look at a file, by its kind. What is in it is shown as an image, as media or as text: never as a page. */
export function PreviewContent({ file, path }: PreviewContentProps) {
  const name = baseOf(file.name)
  const look = `${path}?preview`
  switch (kindOfPreview(file)) {
    case 'image':
      return <img class="preview-image" src={look} alt={name} />
    case 'video':
      // biome-ignore lint/a11y/useMediaCaption: files have none
      return <video class="preview-image" controls preload="metadata" src={look} aria-label={name} />
    case 'audio':
      // biome-ignore lint/a11y/useMediaCaption: likewise
      return <audio class="preview-audio" controls preload="metadata" src={look} aria-label={name} />
    case 'pdf':
      return (
        <p class="preview-none">
          <a class="button primary" href={look} target="_blank" rel="noopener">
            <Icon name="file" />
            {say('files.openPdf')}
          </a>
        </p>
      )
    case 'table':
      return <TextContent file={file} path={path} Show={CsvTable} />
    case 'markdown':
      return <TextContent file={file} path={path} Show={LazyMarkdown} />
    case 'text':
      return <TextContent file={file} path={path} Show={PlainText} />
    case 'none':
      return <p class="preview-none dim">{say('files.noPreview')}</p>
  }
}

interface ShownText {
  text: string
  /** The address of the file. */
  path: string
}

function TextContent({ file, path, Show }: PreviewContentProps & { Show: ComponentType<ShownText> }) {
  const key = JSON.stringify([path, file.uploadedAt, file.size])
  const { value, error } = useLoaded(key, (signal) => loadText(`${path}?preview`, file.size, signal))
  if (error !== undefined) return <p role="alert">{errorText(error)}</p>
  if (!value) return <Loading rows={4} />
  if (value.text === null) return <p class="preview-none dim">{say('files.noPreview')}</p>
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keys */}
      <section class="preview-text" tabIndex={0} aria-label={say('files.content')}>
        <Show text={value.text} path={path} />
      </section>
      {value.isCut && <p class="dim small">{say('files.previewCut')}</p>}
    </>
  )
}

function PlainText({ text }: ShownText) {
  return <pre class="preview-source">{text}</pre>
}

const loadMarkdown = () => import('./markdown.js')

function LazyMarkdown(props: ShownText) {
  const { part: Markdown, error } = useModule(loadMarkdown)
  if (error !== undefined) return <PlainText {...props} />
  return Markdown ? <Markdown {...props} /> : <Loading rows={4} />
}

function CsvTable({ text }: ShownText) {
  const [head = [], ...rows] = rowsOfCsv(text, { maxRows })
  return (
    <table class="preview-table">
      <thead>
        <tr>
          {head.map((name, column) => (
            <th key={column} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map((value, column) => (
              <td key={column}>{value}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const maxRows = 200
