/** Line icons of 20 by 20, in the color of the text. */
const paths = {
  file: 'M5 2.5h6.5L16 7v10.5H5zM11 2.5V7.5h5',
  folder: 'M2.5 5h5l2 2h8v9h-15z',
  newFolder: 'M2.5 5h5l2 2h8v9h-15zM10 9.300v4.4M7.800 11.5h4.4',
  up: 'M5.5 12l4.5-4.5 4.5 4.5',
  down: 'M5.5 8l4.5 4.5L14.5 8',
  jobs: 'M3 5h9M3 10h6M3 15h9M15.5 4v9m0 0-2.5-2.5m2.5 2.5 2.5-2.5',
  table: 'M3 4h14v12H3zM3 8h14M3 12h14M8 8v8',
  link: 'M8.5 11.5a3.2 3.2 0 0 0 4.6 0l2.6-2.6a3.2 3.2 0 0 0-4.6-4.6l-1 1M11.5 8.5a3.2 3.2 0 0 0-4.6 0l-2.6 2.6a3.2 3.2 0 0 0 4.6 4.6l1-1',
  shield: 'M10 2.5l6 2.2v4.6c0 3.8-2.4 6.6-6 8.2-3.6-1.6-6-4.4-6-8.2V4.7zM7.5 9.8l1.9 1.9 3.3-3.8',
  person: 'M10 10a3.4 3.4 0 1 0 0-6.8 3.4 3.4 0 0 0 0 6.8zM3.5 17c.5-3.3 3-5 6.5-5s6 1.7 6.5 5',
  upload: 'M10 13V4m0 0L6.5 7.5M10 4l3.5 3.5M3.5 13v3.5h13V13',
  download: 'M10 4v9m0 0 3.5-3.5M10 13 6.5 9.5M3.5 13v3.5h13V13',
  import: 'M3 5h6v10H3zM3 9h6M17 10h-5.5m0 0 2.5-2.5M11.5 10l2.5 2.5',
  query: 'M5.5 6 2.5 10l3 4M14.5 6l3 4-3 4M11.5 4.5l-3 11',
  pause: 'M7 4.5v11M13 4.5v11',
  play: 'M6.5 4.5v11l9-5.5z',
  stop: 'M5 5h10v10H5z',
  limit: 'M3.5 14.5a7 7 0 1 1 13 0M10 12.5l3.5-4',
  pencil: 'M4 16l.700-3.2L13.5 4l2.5 2.5-8.8 8.8zM11.5 6 14 8.5',
  trash: 'M4 6h12M8 6V4h4v2M5.5 6l.700 10.5h7.6L14.5 6M8.5 9v4.5M11.5 9v4.5',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM13 13l4 4',
  close: 'M5 5l10 10M15 5 5 15',
  check: 'M4 10.5l4 4 8-9',
  alert: 'M10 3 2.5 16.5h15zM10 8v4M10 14.2v.300',
  copy: 'M7 7h9.5v9.5H7zM4 13H3.5V3.5H13V4',
  out: 'M8 3.5H3.5v13H8M8 10h9m0 0-3-3m3 3-3 3',
  chevron: 'M7.5 5l5 5-5 5',
  sun: 'M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6 16 16M4 16l1.4-1.4M14.6 5.4 16 4',
  moon: 'M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z',
  auto: 'M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 3v14M10 6h4M10 10h6.5M10 14h4',
  more: 'M10 4.5v.01M10 10v.01M10 15.5v.01',
  book: 'M4 3.5h9a3 3 0 0 1 3 3v10H7a3 3 0 0 1-3-3zM4 13.5a3 3 0 0 1 3-3h9',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}
