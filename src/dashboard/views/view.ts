import type { ComponentChildren } from 'preact'
import type { Features } from '../../protocol/features.js'
import type { mayUse } from '../access.js'
import type { IconName } from '../parts/icon.js'
import type { WordKey } from '../words/say.js'

/** A view of the page, as `all-views.tsx` lists it. */
export interface View {
  /** The key of its name, of those without placeholders. */
  name: WordKey & `view.${string}`
  /**
   * Its addresses, such as `/jobs/:id?`: `:id` is one segment, `*` the rest. Whatever of it is encoded is decoded in `at`.
   */
  pattern: string
  /** Its address in the rail. */
  href: string
  icon: IconName
  /** It is offered to the accounts that may use this route. */
  route: Parameters<typeof mayUse>[1]
  /** It is offered if the server has this switched on. */
  feature?: keyof Features
  /** Where it is offered. Views for admins share one entry of the rail, and are tabs there. */
  place: 'rail' | 'menu' | 'administration'
  /** What the window's title names instead of the view: a folder, a table. */
  titleOf?(at: At): string
  show(at: At): ComponentChildren
}

/** An address that fits the pattern of a view. */
export interface At {
  /** By the names of the pattern; that of `*` is `rest`. A missing one is empty. */
  parameters: Readonly<Record<string, string>>
  query: URLSearchParams
}
