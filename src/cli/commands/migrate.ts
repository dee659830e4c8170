import { Command } from 'commander'
import { Problem } from '../../protocol/problems.js'
import { countOf, formatBytes, formatDuration } from '../../protocol/units.js'
import type { MigrationReport } from '../../server/migration/migrate-folder.js'
import type { Context, GlobalOptions } from '../context.js'
import { visible } from '../escape.js'
import { Exit, exitCodes } from '../exit-codes.js'
import { createOutput } from '../output.js'
import { openProgress } from '../progress.js'
import { serverFlag } from '../server-flags.js'

/** Opens the data folder directly, like `doctor`; the server's code parses the flags and the environment. */
export function migrateCommand(context: Context): Command {
  return new Command('migrate')
    .addOption(serverFlag('data', 'data folder to move; its server must be stopped'))
    .addOption(serverFlag('database', 'PostgreSQL database without any data: postgres://USER@HOST/NAME'))
    .addOption(serverFlag('bucket', 'bucket for the files: s3://NAME/PREFIX?endpoint=URL'))
    .option('--leave-out', 'finish although something cannot be moved')
    .addHelpText('after', examples)
    .action(async ({ leaveOut = false, ...flags }: Record<string, string | boolean | undefined>, command: Command) => {
      const { parseConfig } = await import('../../server/config.js')
      const { findUnknownVariables } = await import('../unknown-variables.js')
      const { migrateFolder } = await import('../../server/migration/migrate-folder.js')
      const { dataFolder, cluster } = parseConfig(flags, context.env)
      if (!cluster) throw new Problem('invalid-request', 'Name the new place by --database and --bucket.')
      for (const warning of findUnknownVariables(context.env)) context.stderr.write(`${warning}\n`)
      const output = createOutput(context, command.optsWithGlobals<GlobalOptions>())
      const progress = await openProgress(output)
      const startedAt = performance.now()
      const report = await migrateFolder({
        ...{ dataFolder, cluster, mayLeaveOut: leaveOut === true },
        progress: {
          begin: (totalBytes) => progress.begin('Files', totalBytes),
          advance: (bytes) => progress.advance(bytes),
        },
      }).finally(() => progress.end())
      output.result(report, formatReport(report, performance.now() - startedAt))
      if (report.isFinished) return
      const isDamaged = report.failed.some(({ isDamage }) => isDamage)
      throw new Exit(isDamaged ? exitCodes.digestMismatch : exitCodes.unexpected)
    })
}

const examples = `
Copies accounts with their sessions and links, the history of jobs, files with their types, times and digests, empty folders,
and tables. The folder is only read. Each file is compared with the digest that was recorded when it was stored; a damaged one
is named, and the exit code is 8. A run that was interrupted may be repeated: what has arrived is not sent again, and
files that were changed or removed meanwhile are changed or removed. The database must be empty at first, and servers start
on it only after the last run.

Unfinished uploads by tus are moved with the bytes that have arrived: their clients continue them on the new servers.

What cannot be moved, such as a damaged file or a symbolic link, is named, and the exit code is not 0, unless --leave-out is given.

Examples:
  $ filejobs migrate --data ./filejobs-data --database postgres://filejobs@db/filejobs --bucket s3://filejobs
  $ filejobs migrate --data ./filejobs-data --database postgres://filejobs@db/filejobs --bucket s3://filejobs --leave-out`

function formatReport(report: MigrationReport, durationMs: number): string {
  const { files, bytes, sent, removed, failed, folders, tables, leftOut, isFinished } = report
  const { accounts, sessions, shares, jobs, unfinishedUploads } = report
  const { unserved } = leftOut
  const before = files - sent.files
  return [
    ...section(
      'Not moved:',
      failed.map(({ path, why }) => `${visible(path)}: ${why}`),
    ),
    ...section(
      'In uploads/, but not served, and not moved:',
      unserved.map(({ path, why }) => `${visible(path)}: ${why}`),
    ),
    [
      `Moved ${countOf(sent.files, 'file')}, ${formatBytes(sent.bytes)}, in ${formatDuration(durationMs)}.`,
      ...(before > 0 ? [`${countOf(before, 'file')} had been moved before.`] : []),
      ...(removed > 0 ? [`${countOf(removed, 'file')} that the folder does not have any more, removed.`] : []),
    ].join(' '),
    `The bucket has ${countOf(files, 'file')}, ${formatBytes(bytes)}, and ${countOf(tables, 'table')}.`,
    `The database has ${countOf(accounts, 'account')}, ${countOf(sessions, 'session')}, ${countOf(shares, 'link')}, ${countOf(folders, 'kept folder')} and ${countOf(jobs, 'job')}.`,
    ...(unfinishedUploads > 0 ? [`Clients can continue ${countOf(unfinishedUploads, 'unfinished upload')}.`] : []),
    isFinished
      ? 'Servers can start on them now.'
      : 'Not finished: repair this and run it again, or run it with --leave-out.',
  ].join('\n')
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]
}
