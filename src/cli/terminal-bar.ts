import type { SingleBar } from 'cli-progress'
import type { Output } from './output.js'

/** Returns a function that opens a progress bar of `width` characters on stderr. */
export async function barOpener(output: Output, format: string, width: number): Promise<() => SingleBar> {
  const { default: cliProgress } = await import('cli-progress')
  return () =>
    new cliProgress.SingleBar({
      stream: output.stderr,
      format,
      barsize: width,
      barCompleteChar: '=',
      barIncompleteChar: '-',
      hideCursor: null,
      clearOnComplete: true,
      gracefulExit: false,
      fps: 10,
    })
}

/** Removes a bar and clears its line. */
export function closeBar(bar: SingleBar, stderr: NodeJS.WriteStream): void {
  // The bar restores a saved cursor position. It would erase lines that other programs on this terminal, such as the
  // reader of a pipe, have printed since.
  stderr.write('\u001b7')
  bar.stop()
  stderr.write('\r\u001b[K')
}

/** The time between two frames of a bar. */
export const frameMs = 100
