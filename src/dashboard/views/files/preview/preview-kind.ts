import type { FileRecord } from '../../../../protocol/files.js'
import { maxPreviewBytes } from '../../../../protocol/routes.js'
import { isTable } from '../entries.js'

export type PreviewKind = 'image' | 'video' | 'audio' | 'pdf' | 'table' | 'markdown' | 'text' | 'none'

/** How a file is shown. Media is read by ranges, and text from its beginning: their sizes do not matter. */
export function kindOfPreview(file: FileRecord): PreviewKind {
  const type = file.type.replace(/\s*;.*$/s, '').toLowerCase()
  const isWhole = file.size <= maxPreviewBytes
  if (imageTypes.has(type)) return isWhole ? 'image' : 'none'
  if (type.startsWith('video/')) return 'video'
  if (type.startsWith('audio/')) return 'audio'
  if (type === 'application/pdf') return isWhole ? 'pdf' : 'none'
  if (isTable(file)) return 'table'
  if (type === 'text/markdown' || /\.(md|markdown)$/i.test(file.name)) return 'markdown'
  return type.startsWith('text/') || textTypes.test(type) || textNames.test(file.name) ? 'text' : 'none'
}

const imageTypes = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/svg+xml',
  'image/bmp',
  'image/x-icon',
])
const textTypes = /^application\/(json|xml|yaml|x-yaml|toml|x-ndjson|sql|javascript|typescript|x-sh|ld\+json)$/
const textNames =
  /\.(txt|log|json|ya?ml|toml|ini|conf|env|[cm]?[jt]sx?|py|rb|go|rs|java|kt|c|h|cc|cpp|hpp|cs|php|sh|sql|css|html?|xml|tex|diff|patch)$|(^|\/)(\.\w+|[A-Z]+|Makefile|Dockerfile)$/i
