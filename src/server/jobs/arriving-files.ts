/** The files that one request brings, as far as they are known. */
export interface ArrivingFiles {
  /** The name of the file that began last; null before the first one. */
  readonly last: string | null
  /** Whether a file of this name is, or was, among them. */
  has(name: string): boolean
}
