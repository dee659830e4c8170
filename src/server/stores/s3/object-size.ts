/** Bytes of the object at an offset of a content. Few requests for large files; for others, little that is sent again, or waits to be sent. */
export function objectSizeAt(offset: number): number {
  if (offset < 8 * 1024 ** 3) return 8 * 1024 ** 2
  return offset < 256 * 1024 ** 3 ? 32 * 1024 ** 2 : 256 * 1024 ** 2
}
