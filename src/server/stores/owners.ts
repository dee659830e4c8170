/**
 * Which other server runs what: undefined if that is this one, or none. `address` is a URL without a path; null as long as the
 * server does not listen.
 */
export interface Owners {
  /** Of an unfinished job. */
  ofJob(id: string): Promise<Owner | undefined>
  /** Of a partial that is no job of its own, but part of one. */
  ofPart(id: string): Promise<Owner | undefined>
}

export interface Owner {
  address: string | null
}
