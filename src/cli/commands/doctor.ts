import { Command } from 'commander'
import { formatBytes } from '../../protocol/units.js'
import type { ClusterReport } from '../../server/cluster-doctor.js'
import type { DoctorReport } from '../../server/doctor.js'
import type { Context, GlobalOptions } from '../context.js'
import { visible } from '../escape.js'
import { Exit, exitCodes } from '../exit-codes.js'
import { createOutput } from '../output.js'
import { serverFlag } from '../server-flags.js'

/** Opens the data folder directly, like `serve`; the server's code parses the flags and the environment. */
export function doctorCommand(context: Context): Command {
  return new Command('doctor')
    .addOption(serverFlag('data', 'data folder, whose server must be stopped'))
    .addOption(serverFlag('database', 'database that servers share, instead of a data folder; they may run'))
    .addOption(serverFlag('bucket', 'bucket that servers share'))
    .addOption(serverFlag('keepPartial'))
    .option('--fix', 'repair what the next start would, or hand orphaned objects to the servers to remove')
    .option('--verify', 'read every file and table, and list the damaged ones')
    .addHelpText('after', examples)
    .action(
      async (
        { fix = false, verify = false, ...flags }: Record<string, string | boolean | undefined>,
        command: Command,
      ) => {
        const { parseConfig } = await import('../../server/config.js')
        const { findUnknownVariables } = await import('../unknown-variables.js')
        const { dataFolder, keepPartialMs, cluster } = parseConfig(flags, context.env)
        for (const warning of findUnknownVariables(context.env)) context.stderr.write(`${warning}\n`)
        const output = createOutput(context, command.optsWithGlobals<GlobalOptions>())
        const options = { fix: fix === true, verify: verify === true }
        // A folder that is named is meant, whatever the variables say.
        if (cluster && (flags.data === undefined || flags.database !== undefined)) {
          const { examineCluster } = await import('../../server/cluster-doctor.js')
          const report = await examineCluster(cluster, options)
          output.result(report, formatClusterReport(report))
          if (report.damaged.length > 0) throw new Exit(exitCodes.digestMismatch)
          return
        }
        const { examineFolder } = await import('../../server/doctor.js')
        const report = await examineFolder(dataFolder, { keepPartialMs, ...options })
        output.result(report, formatReport(report))
        if (report.integrity && report.integrity.damaged.length > 0) throw new Exit(exitCodes.digestMismatch)
      },
    )
}

const examples = `
Says what a crash left in the data folder: uploads that can be resumed, files that are not usable any more, and jobs that broke
off. A start of the server puts all of it in order; nothing is changed here without --fix. It also names what lies in
uploads/ and cannot be served. --verify compares all bytes with the digests that were recorded when they were stored, as
after a restore, and exits with 8 when something is damaged.

With --database and --bucket it compares the rows of files and tables with the objects. Servers may run meanwhile. It writes
and removes one small object, to see that the keys suffice.

Examples:
  $ filejobs doctor --data ./filejobs-data
  $ filejobs doctor --data ./filejobs-data --fix
  $ filejobs doctor --data ./restored --verify
  $ filejobs doctor --database postgres://filejobs@db/filejobs --bucket s3://filejobs --verify`

function formatReport({ resumable, leftovers, published, ended, unserved, integrity, fixed }: DoctorReport): string {
  const isToDo = leftovers.length + published.length + ended.length > 0
  const end = fixed ? 'All of that was done.' : 'Nothing was changed: --fix does it, and the next start of the server.'
  return [
    ...section('Uploads that can go on:', resumable.map(wordUpload)),
    ...section(
      fixed ? 'Removed:' : 'To be removed:',
      leftovers.map(({ path, bytes, why }) => `${path}${bytes === null ? '' : `, ${formatBytes(bytes)}`}: ${why}`),
    ),
    ...section(
      'Files that are published together, which was not finished:',
      published.map(({ path, files, bytes }) => `${path}, ${files} files, ${formatBytes(bytes)}`),
    ),
    ...section(
      'Interrupted jobs:',
      ended.map(({ id, kind, account, file, state }) => {
        return `${id}, ${kind}${file === null ? '' : ` of ${file}`} by ${account}: recorded as ${state}`
      }),
    ),
    ...section(
      'In uploads/, but not served:',
      unserved.map(({ path, why }) => `${visible(path)}: ${why}`),
    ),
    ...(integrity ? wordIntegrity(integrity) : []),
    ...(isToDo ? [end] : unserved.length > 0 || (integrity && isDoubtful(integrity)) ? [] : ['All is in order.']),
  ].join('\n')
}

type Integrity = NonNullable<DoctorReport['integrity']>

function isDoubtful({ damaged, changed, missing }: Integrity): boolean {
  return damaged.length + changed.length + missing.length > 0
}

function wordIntegrity({ intact, unknown, damaged, changed, missing }: Integrity): string[] {
  return [
    ...section(
      'Damaged:',
      damaged.map(({ path, why }) => `${visible(path)}: ${why}`),
    ),
    ...section('Changed since they were stored, by hand or by an incomplete copy:', changed.map(visible)),
    ...section(
      'Recorded in meta/ and not there: removed by hand, not yet published before a crash, or not copied:',
      missing.map(visible),
    ),
    `Compared with their digests: ${intact + damaged.length}, ${damaged.length} damaged. ${unknown} have no digest.`,
  ]
}

function formatClusterReport(report: ClusterReport): string {
  const { files, imports, bytes, objects, damaged, orphans, intact, fixed } = report
  return [
    ...section(
      'Damaged:',
      damaged.map(({ account, name, why }) => `${nameOf(account, name)}: ${why}`),
    ),
    ...section(
      'In the bucket, and not needed:',
      orphans.map(({ key, bytes: size, why }) => `${key}, ${formatBytes(size)}: ${why}`),
    ),
    ...(orphans.length > 0 ? [fixed ? 'Servers remove those that are older than a week.' : wordOrphans] : []),
    `Files: ${files}. Imports of tables: ${imports}. ${formatBytes(bytes)} in ${objects} objects.`,
    ...(intact === null ? [] : [`Compared with their digests: ${intact} intact, ${damaged.length} damaged.`]),
    ...(damaged.length + orphans.length > 0 ? [] : ['All is in order.']),
  ].join('\n')
}

const wordOrphans = 'Nothing was changed: with --fix, servers remove those that are older than a week.'

function nameOf(account: string | null, name: string | null): string {
  return name === null ? 'An upload that has not ended' : visible(`${account}/${name}`)
}

function wordUpload({ id, account, file, bytes, totalBytes, expiresAt }: DoctorReport['resumable'][number]): string {
  const whole = totalBytes === null ? '' : ` of ${formatBytes(totalBytes)}`
  return `${id}, ${file} by ${account}: ${formatBytes(bytes)}${whole}, until ${expiresAt}`
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]
}
