import { createHash } from 'node:crypto'
import type { ApiDocument, Content, Operation, Schema } from './api-document.js'

export interface DocsPage {
  html: string
  /** Allows only the page's own style: no script, no other host. */
  contentSecurityPolicy: string
}

/** Renders the API document as a page without scripts. */
export function docsPage(document: ApiDocument): DocsPage {
  const byTag = document.tags.map((tag) => ({ ...tag, operations: operationsOf(document, tag.name) }))
  const shown = byTag.filter(({ operations }) => operations.length > 0)
  const schemas = Object.entries(document.components.schemas).sort(([a], [b]) => a.localeCompare(b))
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>filejobs API</title>
<style>${style}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header><h1>filejobs <small>API ${escapeHtml(document.info.version)}</small></h1>
<p><a href="/">Dashboard</a> · <a href="/openapi.json">openapi.json</a></p></header>
<div class="columns">
<nav aria-label="Contents"><ul>
${shown.map(({ name }) => `<li><a href="#${name}">${name}</a></li>`).join('\n')}
<li><a href="#schemas">Shapes</a></li></ul></nav>
<main id="content">
${markdown(document.info.description)}
${shown.map(tagSection).join('\n')}
<section><h2 id="schemas">Shapes</h2>
${schemas.map(([name, schema]) => schemaSection(name, schema)).join('\n')}</section>
</main></div></body></html>
`
  const hash = createHash('sha256').update(style).digest('base64')
  const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  return { html, contentSecurityPolicy }
}

interface Listed {
  method: string
  path: string
  operation: Operation
}

function operationsOf(document: ApiDocument, tag: string): Listed[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => operation.tags?.includes(tag))
      .map(([method, operation]) => ({ method, path, operation })),
  )
}

function tagSection({ name, description, operations }: { name: string; description: string; operations: Listed[] }) {
  return `<section><h2 id="${name}">${name}</h2><p>${escapeHtml(description)}</p>
${operations.map(operationSection).join('\n')}</section>`
}

function operationSection({ method, path, operation }: Listed): string {
  const { operationId = '', summary = '', description, parameters = [], requestBody, responses, security } = operation
  return `<details id="${operationId}"><summary><span class="method ${method}">${method.toUpperCase()}</span>
<code>${escapeHtml(path)}</code> <span class="what">${escapeHtml(summary)}</span></summary>
${description ? `<p>${inline(description)}</p>` : ''}
${security?.length === 0 ? '<p class="note">Needs no login.</p>' : ''}
${parameters.length > 0 ? parameterTable(parameters) : ''}
${requestBody ? `<h4>Body</h4>${contentBlock(requestBody.content)}` : ''}
<h4>Answers</h4><dl>${Object.entries(responses)
    .map(([status, answer]) => `<dt>${status}</dt><dd>${inline(answer.description)}${answerBlock(answer.content)}</dd>`)
    .join('\n')}</dl></details>`
}

function parameterTable(parameters: NonNullable<Operation['parameters']>): string {
  const rows = parameters.map(
    ({ name, in: place, required, description, schema }) =>
      `<tr><td><code>${escapeHtml(name)}</code>${required ? ' <em>required</em>' : ''}</td><td>${place}</td>` +
      `<td>${typeWords(schema)}</td><td>${inline(description ?? '')}</td></tr>`,
  )
  return `<h4>Parameters</h4><div class="scroll"><table><thead><tr><th>name</th><th>in</th><th>type</th><th>meaning</th></tr></thead>
<tbody>${rows.join('')}</tbody></table></div>`
}

function contentBlock(content: Content): string {
  return Object.entries(content)
    .map(([type, { schema }]) => `<p><code>${escapeHtml(type)}</code> ${typeWords(schema)}</p>`)
    .join('')
}

/** The description already explains problems. */
function answerBlock(content: Content | undefined): string {
  const { 'application/problem+json': _problem, ...rest } = content ?? {}
  return contentBlock(rest)
}

function schemaSection(name: string, schema: Schema): string {
  const required = schema.required ?? []
  const rows = Object.entries(schema.properties ?? {}).map(
    ([property, of]) =>
      `<tr><td><code>${escapeHtml(property)}</code></td><td>${typeWords(of)}${required.includes(property) ? '' : ' <em>optional</em>'}</td>` +
      `<td>${inline(of.description ?? '')}</td></tr>`,
  )
  const table = `<div class="scroll"><table><thead><tr><th>member</th><th>type</th><th>meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
  const example = schema.example
    ? `<pre tabindex="0" aria-label="Example of ${name}">${escapeHtml(JSON.stringify(schema.example, null, 2))}</pre>`
    : ''
  return `<h3 id="schema-${name}">${name}</h3>${schema.description ? `<p>${inline(schema.description)}</p>` : ''}${table}${example}`
}

function typeWords(schema: Schema): string {
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1)!
    return `<a href="#schema-${name}">${name}</a>`
  }
  if (schema.enum) return schema.enum.map((value) => `<code>${escapeHtml(String(value))}</code>`).join(' ')
  if (schema.anyOf ?? schema.allOf) return (schema.anyOf ?? schema.allOf)!.map(typeWords).join(' or ')
  if (schema.items) return `list of ${typeWords(schema.items)}`
  const types = [schema.type ?? 'anything'].flat().map((type) => (type === 'string' && schema.format) || type)
  return escapeHtml(types.join(' or '))
}

/** The markup of the overview: paragraphs, code, and one table. */
function markdown(text: string): string {
  return text
    .split('\n\n')
    .map((block) => (block.startsWith('|') ? markdownTable(block) : `<p>${inline(block)}</p>`))
    .join('\n')
}

function markdownTable(block: string): string {
  const [head = [], , ...rows] = block.split('\n').map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
  const cells = (row: string[], tag: string) => row.map((cell) => `<${tag}>${inline(cell)}</${tag}>`).join('')
  const body = rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')
  return `<details><summary>All problem codes</summary><div class="scroll"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${body}</tbody></table></div></details>`
}

function inline(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

const style = `
:root{color-scheme:light dark;--bg:#fbfbfa;--fg:#1c2024;--dim:#5d656e;--line:#dcdfe3;--card:#fff;--accent:#0b62c4}
@media (prefers-color-scheme:dark){:root{--bg:#111316;--fg:#e6e8eb;--dim:#9ba3ad;--line:#2b3036;--card:#191c20;--accent:#79b4ff}}
*{box-sizing:border-box}html{scroll-behavior:smooth}
body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,sans-serif}
a{color:var(--accent)}code,pre{font:.9em/1.5 ui-monospace,Menlo,Consolas,monospace}
.skip{position:absolute;left:-99em}.skip:focus{left:1em;top:1em;background:var(--card);padding:.5em}
header{border-bottom:1px solid var(--line);padding:1.2em 2em .6em;display:flex;flex-wrap:wrap;align-items:baseline;gap:0 2em}
h1{margin:0;font-size:1.4em}h1 small{color:var(--dim);font-weight:400;font-size:.7em}header p{margin:.3em 0}
.columns{display:grid;grid-template-columns:11em minmax(0,52em);gap:2em;padding:1em 2em 4em}
nav ul{list-style:none;margin:0;padding:0;position:sticky;top:1em}nav li{padding:.2em 0}
h2{margin:2em 0 .3em;font-size:1.25em}h3{margin:2em 0 .3em;font-size:1.05em}h4{margin:1em 0 .3em;font-size:.9em;color:var(--dim)}
details{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:.5em 0;padding:0 1em}
details[open]{padding-bottom:.8em}summary{cursor:pointer;padding:.6em 0;overflow-wrap:anywhere}
.method{display:inline-block;min-width:4.6em;font:600 .75em ui-monospace,monospace;text-align:center;border:1px solid var(--line);border-radius:4px;padding:.15em .3em}
.what{color:var(--dim)}.note{color:var(--dim)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9em}
th,td{text-align:left;vertical-align:top;padding:.35em .8em .35em 0;border-bottom:1px solid var(--line)}th{color:var(--dim);font-weight:500}
dl{display:grid;grid-template-columns:3.5em 1fr;gap:.3em;margin:0}dt{font:600 .85em/1.9 ui-monospace,monospace}dd{margin:0}dd p{margin:.1em 0}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:1em;overflow-x:auto}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
@media (max-width:45em){.columns{grid-template-columns:minmax(0,1fr);padding:1em}nav ul{position:static;display:flex;flex-wrap:wrap;gap:0 1em}header{padding:1em}}
`
