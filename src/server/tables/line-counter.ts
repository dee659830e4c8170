/** Counts the lines of a text that comes in parts; they end with LF, CRLF or CR. */
export class LineCounter {
  #ends = 0
  #afterCr = false

  /** The line where the next part begins, from 1. */
  get line(): number {
    return 1 + this.#ends
  }

  add(text: string): void {
    if (text === '') return
    const ends = text.match(/\r\n|\r|\n/g)?.length ?? 0
    // The LF of a CRLF whose CR ended the part before.
    this.#ends += this.#afterCr && text.startsWith('\n') ? ends - 1 : ends
    this.#afterCr = text.endsWith('\r')
  }
}
