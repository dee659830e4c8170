import { batch, signal } from '@preact/signals'

/** Which entries of a list are ticked, and on which one the keyboard is; by their names. */
export class EntrySelection {
  readonly chosen = signal<ReadonlySet<string>>(new Set())
  /** The row of the keyboard; null: none yet. */
  readonly active = signal<string | null>(null)
  /** Whether its row is to take the focus as soon as it is rendered. */
  readonly focusWanted = signal(false)
  /** Where a range begins. */
  #anchor: string | null = null

  toggle(name: string): void {
    const next = new Set(this.chosen.peek())
    if (!next.delete(name)) next.add(name)
    this.#set(next, name)
    this.#anchor = name
  }

  only(name: string): void {
    this.#set(new Set([name]), name)
    this.#anchor = name
  }

  /** Also everything between the last one that was ticked and this one; `order`: the names as they are listed. */
  extendTo(name: string, order: readonly string[]): void {
    const from = order.indexOf(this.#anchor ?? this.active.peek() ?? name)
    const to = order.indexOf(name)
    const range = from < 0 ? [name] : order.slice(Math.min(from, to), Math.max(from, to) + 1)
    this.#anchor ??= range[0]!
    this.#set(new Set([...this.chosen.peek(), ...range]), name)
  }

  all(names: readonly string[]): void {
    this.chosen.value = new Set(names)
  }

  clear(): void {
    this.chosen.value = new Set()
    this.#anchor = null
  }

  /** Brings the keyboard to a row. */
  goTo(name: string): void {
    batch(() => {
      this.active.value = name
      this.focusWanted.value = true
    })
  }

  /** A row has taken the focus: what a dialog gives back does not count while another one is wanted. */
  enter(name: string): void {
    if (!this.focusWanted.peek()) this.active.value = name
  }

  /** What is gone is not ticked any more. */
  keepOnly(isThere: (name: string) => boolean): void {
    const kept = [...this.chosen.peek()].filter(isThere)
    if (kept.length < this.chosen.peek().size) this.chosen.value = new Set(kept)
  }

  #set(chosen: ReadonlySet<string>, active: string): void {
    batch(() => {
      this.chosen.value = chosen
      this.active.value = active
    })
  }
}
