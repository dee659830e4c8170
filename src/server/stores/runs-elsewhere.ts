/** The job that a claim would repeat: another server runs it, and its request belongs there. */
export class RunsElsewhere extends Error {
  override name = 'RunsElsewhere'
  /** A URL without a path; null as long as that server does not listen. */
  readonly address: string | null

  constructor(address: string | null) {
    super('Another server runs this job.')
    this.address = address
  }
}
