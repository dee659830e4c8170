/** The way in. */
export const signInEnglish = {
  'signIn.tagline': 'Every transfer is a job: watch it, pause it, resume it, stop it.',
  'signIn.whatToDo': 'What to do',
  'signIn.signIn': 'Sign in',
  'signIn.create': 'Create account',
  'signIn.busy': 'Signing in …',
  'signIn.creating': 'Creating the account …',
  'signIn.username': 'Username',
  'signIn.password': 'Password',
  'signIn.passwordHint': '8 characters or more.',
  'signIn.role': 'Role',
  'signIn.whichAccount': 'Several accounts have this name and password. Which one?',
  'signIn.sessionEnded': 'Your session has ended: it was revoked, or it expired.',
  'signIn.cutOff': 'Its transfers were stopped. Sign in, and they are listed under Files, to be tried again:',
  'signIn.moreCutOff': { one: 'and {count} more', other: 'and {count} more' },
} as const
