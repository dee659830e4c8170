interface Waiter {
  weight: number
  admit(): void
}

/** Runs work in order of arrival: `least` at a time, and more while the total weight is at most `most`. */
export class WeightedLimit {
  readonly #least: number
  readonly #most: number
  readonly #queue: Waiter[] = []
  #running = 0
  #weight = 0

  constructor({ least, most }: { least: number; most: number }) {
    this.#least = least
    this.#most = most
  }

  async run<Result>(weight: number, work: () => Promise<Result>): Promise<Result> {
    if (this.#queue.length === 0 && this.#admits(weight)) this.#begin(weight)
    else await new Promise<void>((resolve) => this.#queue.push({ weight, admit: resolve }))
    try {
      return await work()
    } finally {
      this.#running--
      this.#weight -= weight
      for (let next = this.#queue[0]; next && this.#admits(next.weight); next = this.#queue[0]) {
        this.#queue.shift()
        this.#begin(next.weight)
        next.admit()
      }
    }
  }

  #admits(weight: number): boolean {
    return this.#running < this.#least || this.#weight + weight <= this.#most
  }

  #begin(weight: number): void {
    this.#running++
    this.#weight += weight
  }
}
