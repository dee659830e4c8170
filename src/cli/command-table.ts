import type { Command } from 'commander'
import type { Context } from './context.js'

/** One command; its module is loaded only when it runs. */
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  /** `loadProgram` returns the program with all commands, for the command that describes them. */
  load(): Promise<(context: Context, loadProgram: () => Promise<Command>) => Command>
}

/** All commands, in the order of the help. A new one is a file in `commands/` and a line here. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'serve',
    summary: 'run the server',
    load: async () => (await import('./commands/serve.js')).serveCommand,
  },
  {
    name: 'signup',
    summary: 'create an account and log in',
    load: async () => (await import('./commands/signup.js')).signupCommand,
  },
  {
    name: 'login',
    summary: 'log in and store the session',
    load: async () => (await import('./commands/login.js')).loginCommand,
  },
  {
    name: 'logout',
    summary: 'log out of the server',
    load: async () => (await import('./commands/logout.js')).logoutCommand,
  },
  {
    name: 'whoami',
    summary: 'show who is logged in',
    load: async () => (await import('./commands/whoami.js')).whoamiCommand,
  },
  {
    name: 'sessions',
    summary: 'list and revoke your sessions',
    load: async () => (await import('./commands/sessions.js')).sessionsCommand,
  },
  {
    name: 'tokens',
    summary: 'get short-lived tokens for scripts',
    load: async () => (await import('./commands/tokens.js')).tokensCommand,
  },
  {
    name: 'passwd',
    summary: 'change your password',
    load: async () => (await import('./commands/passwd.js')).passwdCommand,
  },
  {
    name: 'accounts',
    summary: 'manage accounts (admin)',
    load: async () => (await import('./commands/accounts.js')).accountsCommand,
  },
  {
    name: 'upload',
    summary: 'upload files and folders',
    load: async () => (await import('./commands/upload.js')).uploadCommand,
  },
  {
    name: 'export',
    summary: 'download files and folders',
    load: async () => (await import('./commands/export.js')).exportCommand,
  },
  {
    name: 'sync',
    summary: 'make a folder on the server like one here, or the other way',
    load: async () => (await import('./commands/sync.js')).syncCommand,
  },
  {
    name: 'import',
    summary: 'import a CSV into a table',
    load: async () => (await import('./commands/import.js')).importCommand,
  },
  {
    name: 'rows',
    summary: 'show the rows of a table',
    load: async () => (await import('./commands/rows.js')).rowsCommand,
  },
  {
    name: 'tables',
    summary: 'list, rename and remove tables',
    load: async () => (await import('./commands/tables.js')).tablesCommand,
  },
  {
    name: 'query',
    summary: 'query tables by SQL',
    load: async () => (await import('./commands/query.js')).queryCommand,
  },
  {
    name: 'stop',
    summary: 'stop running jobs',
    load: async () => (await import('./commands/stop.js')).stopCommand,
  },
  {
    name: 'pause',
    summary: 'pause a transfer',
    load: async () => (await import('./commands/pause.js')).pauseCommand,
  },
  {
    name: 'resume',
    summary: 'resume a paused transfer',
    load: async () => (await import('./commands/resume.js')).resumeCommand,
  },
  {
    name: 'limit',
    summary: 'limit the rate of a transfer',
    load: async () => (await import('./commands/limit.js')).limitCommand,
  },
  {
    name: 'jobs',
    summary: 'list jobs, newest first',
    load: async () => (await import('./commands/jobs.js')).jobsCommand,
  },
  {
    name: 'ls',
    summary: 'list files and folders',
    load: async () => (await import('./commands/ls.js')).lsCommand,
  },
  {
    name: 'rm',
    summary: 'remove files and folders',
    load: async () => (await import('./commands/rm.js')).rmCommand,
  },
  {
    name: 'mv',
    summary: 'rename a file or a folder',
    load: async () => (await import('./commands/mv.js')).mvCommand,
  },
  {
    name: 'mkdir',
    summary: 'create folders',
    load: async () => (await import('./commands/mkdir.js')).mkdirCommand,
  },
  {
    name: 'share',
    summary: 'create a link that works without an account',
    load: async () => (await import('./commands/share.js')).shareCommand,
  },
  {
    name: 'shares',
    summary: 'list and revoke your links',
    load: async () => (await import('./commands/shares.js')).sharesCommand,
  },
  {
    name: 'request',
    summary: 'ask for files by a link that works without an account',
    load: async () => (await import('./commands/request.js')).requestCommand,
  },
  {
    name: 'requests',
    summary: 'list and revoke your links for uploads',
    load: async () => (await import('./commands/requests.js')).requestsCommand,
  },
  {
    name: 'doctor',
    summary: 'inspect and repair what is stored',
    load: async () => (await import('./commands/doctor.js')).doctorCommand,
  },
  {
    name: 'migrate',
    summary: 'move a data folder into a database and a bucket',
    load: async () => (await import('./commands/migrate.js')).migrateCommand,
  },
  {
    name: 'completion',
    summary: 'print a shell completion script',
    load: async () => (await import('./commands/completion.js')).completionCommand,
  },
]
