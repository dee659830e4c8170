/** Which other servers run what. */
export interface Owners {
  /**
   * The server that runs a job, or that has a partial which is no job of its own; undefined if that is this one, or none.
   * `address` is a URL without a path; null as long as the server does not listen.
   */
  find(id: string): Promise<{ address: string | null } | undefined>
}
