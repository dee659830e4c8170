import type { ColumnType } from '../../protocol/tables.js'
import { fits, isExactDouble } from './column-types.js'
import type { JsonMember } from './json-object.js'
import type { JsonRecord } from './json-records.js'
import type { Note } from './notes.js'

/** The keys of a JSON file in the order of their appearance, and what their values are. */
export class JsonColumns {
  readonly #columns = new Map<string, JsonColumn>()

  get names(): string[] {
    return [...this.#columns.keys()]
  }

  get columns(): JsonColumn[] {
    return [...this.#columns.values()]
  }

  see({ members, line }: JsonRecord): void {
    for (const [name, member] of members) {
      let column = this.#columns.get(name)
      if (!column) {
        column = new JsonColumn(name)
        this.#columns.set(name, column)
      }
      if (member) column.see(member, line)
    }
  }
}

/** The values of a key in all objects. */
export class JsonColumn {
  readonly name: string
  readonly #kinds = new Set<NonNullable<JsonMember>['kind']>()
  #integers = true
  #quotedNumbers = true
  #texts = 0
  /** The first number that a double would round. */
  #inexact: { line: number; text: string } | null = null
  /** How many texts are empty. */
  empty = 0

  constructor(name: string) {
    this.name = name
  }

  see({ kind, text }: NonNullable<JsonMember>, line: number): void {
    this.#kinds.add(kind)
    if (kind === 'number') {
      this.#integers &&= fits(text, 'integer')
      if (this.#inexact === null && !(fits(text, 'double') && isExactDouble(text))) {
        this.#inexact = { line, text }
      }
    }
    if (kind !== 'text') return
    if (text === '') {
      this.empty++
      return
    }
    this.#texts++
    this.#quotedNumbers &&= fits(text, 'double')
  }

  get hasNested(): boolean {
    return this.#kinds.has('nested')
  }

  /** Null for texts, which may be dates or times. */
  get type(): ColumnType | null {
    const [kind, ...others] = this.#kinds
    if (kind === undefined || (kind === 'text' && others.length === 0)) return null
    if (others.length > 0 || kind === 'nested') return 'text'
    if (kind === 'boolean') return 'boolean'
    if (this.#integers) return 'integer'
    return this.#inexact ? 'text' : 'double'
  }

  /** What a user may want to be otherwise, in words. */
  get notes(): Note[] {
    const about = `Column "${this.name}"`
    const asDouble = `"--types ${this.name}=double" (types)`
    const fix = { types: { [this.name]: 'double' } }
    const notes: Note[] = []
    if (this.empty > 0)
      notes.push({ text: `${about}: ${this.empty.toLocaleString('en')} empty texts were read as missing values.` })
    if (this.#kinds.size === 1 && this.#kinds.has('text') && this.#texts > 0 && this.#quotedNumbers) {
      const why = 'was taken for text, because its numbers stand in quotes'
      notes.push({ text: `${about} ${why}: ${asDouble} reads numbers.`, fix })
    }
    if (this.#kinds.size > 1) {
      const kinds = [...this.#kinds].join(', ')
      notes.push({ text: `${about} was taken for text, because it has values of several kinds: ${kinds}.` })
    } else if (this.type === 'text' && this.#inexact) {
      const { line, text } = this.#inexact
      const number = text.length > 40 ? `${text.slice(0, 40)}…` : text
      const why = `line ${line} has ${number}, which a double would round`
      notes.push({ text: `${about} was taken for text: ${why}; ${asDouble} rounds.`, fix })
    }
    return notes
  }
}
