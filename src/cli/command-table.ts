import type { Command } from 'commander'
import type { Context } from './context.js'

/** One command: listed by its name, and loaded only when it runs. */
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  /** `loadProgram` gives the whole program with every command, for the one that describes them all. */
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
    summary: 'make an account and log in',
    load: async () => (await import('./commands/signup.js')).signupCommand,
  },
  {
    name: 'login',
    summary: 'log in and remember it',
    load: async () => (await import('./commands/login.js')).loginCommand,
  },
  {
    name: 'logout',
    summary: 'end the session on this server',
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
    summary: 'fetch short-lived tokens for scripts',
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
    summary: 'bring files and folders here',
    load: async () => (await import('./commands/export.js')).exportCommand,
  },
  {
    name: 'import',
    summary: 'make rows of a CSV',
    load: async () => (await import('./commands/import.js')).importCommand,
  },
  {
    name: 'rows',
    summary: 'read the rows of a table',
    load: async () => (await import('./commands/rows.js')).rowsCommand,
  },
  {
    name: 'tables',
    summary: 'list tables, and remove them',
    load: async () => (await import('./commands/tables.js')).tablesCommand,
  },
  {
    name: 'query',
    summary: 'ask the tables by SQL',
    load: async () => (await import('./commands/query.js')).queryCommand,
  },
  {
    name: 'stop',
    summary: 'stop running jobs',
    load: async () => (await import('./commands/stop.js')).stopCommand,
  },
  {
    name: 'pause',
    summary: 'hold a transfer where it is',
    load: async () => (await import('./commands/pause.js')).pauseCommand,
  },
  {
    name: 'resume',
    summary: 'let a paused transfer go on',
    load: async () => (await import('./commands/resume.js')).resumeCommand,
  },
  {
    name: 'limit',
    summary: 'hold a transfer to a rate',
    load: async () => (await import('./commands/limit.js')).limitCommand,
  },
  {
    name: 'jobs',
    summary: 'list jobs, the newest first',
    load: async () => (await import('./commands/jobs.js')).jobsCommand,
  },
  {
    name: 'ls',
    summary: 'list files',
    load: async () => (await import('./commands/ls.js')).lsCommand,
  },
  {
    name: 'rm',
    summary: 'remove files',
    load: async () => (await import('./commands/rm.js')).rmCommand,
  },
  {
    name: 'mv',
    summary: 'rename a file',
    load: async () => (await import('./commands/mv.js')).mvCommand,
  },
  {
    name: 'share',
    summary: 'make a link to a file that works without an account',
    load: async () => (await import('./commands/share.js')).shareCommand,
  },
  {
    name: 'shares',
    summary: 'list and revoke your links',
    load: async () => (await import('./commands/shares.js')).sharesCommand,
  },
  {
    name: 'doctor',
    summary: 'see what a crash left in a data folder',
    load: async () => (await import('./commands/doctor.js')).doctorCommand,
  },
  {
    name: 'completion',
    summary: 'print the completion of a shell',
    load: async () => (await import('./commands/completion.js')).completionCommand,
  },
]
