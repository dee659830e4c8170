import type { ComponentChildren } from 'preact'
import { english } from './english.js'
import { formatNumber } from './format.js'
import type { Message } from './message.js'

/** Every text of the page has a key, such as `files.title`. */
export type WordKey = keyof typeof english

/** The words in braces of a text. */
type Placeholders<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never
type TextOf<M> = M extends string ? M : M[keyof M]
type NamesIn<K extends WordKey> = Placeholders<TextOf<(typeof english)[K]>> | CountOf<(typeof english)[K]>
type CountOf<M> = M extends string ? never : 'count'
type Given<K extends WordKey, Value> = [NamesIn<K>] extends [never] ? [] : [Record<NamesIn<K>, Value>]

/** The text with its placeholders filled in; numbers are written as the user's locale does. */
export function say<K extends WordKey>(key: K, ...[values]: Given<K, string | number>): string {
  return parts<string | number>(key, values).map(textOf).join('')
}

/** Like `say`, where some of the placeholders are elements. */
export function phrase<K extends WordKey>(key: K, ...[values]: Given<K, ComponentChildren>): ComponentChildren {
  return parts<ComponentChildren>(key, values).map((part) => (typeof part === 'number' ? formatNumber(part) : part))
}

function parts<Value>(key: WordKey, values: Readonly<Record<string, Value>> = {}): (Value | string)[] {
  const message: Message = english[key]
  const text = typeof message === 'string' ? message : pluralOf(message, Number(values.count))
  // Every second part is the name of a placeholder.
  return text.split(/\{(\w+)\}/).map((part, index) => (index % 2 === 1 ? (values[part] ?? '') : part))
}

function pluralOf(message: Exclude<Message, string>, count: number): string {
  return message[rules.select(count)] ?? message.other
}

function textOf(part: string | number): string {
  return typeof part === 'number' ? formatNumber(part) : part
}

const rules = new Intl.PluralRules('en')
