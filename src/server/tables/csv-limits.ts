/** The maximum length of a line: a file without line ends is no table. */
export const maxLineBytes = 2_000_000
export const maxColumns = 1000
/** Lines by which a file is planned. */
export const sampleLines = 20_480
/** The most faults that a check lists. */
export const maxFaults = 1000
