/** The account that is signed in. */
export const accountEnglish = {
  'account.space': 'Space',
  'account.meter': 'Space used',
  'account.usedOf': '{used} of {quota} used, {free} free',
  'account.usedOnly': '{used} used, {free} free',
  'account.usedUnlimited': '{used} used, no limit',
  'account.spaceUnknown': 'The storage does not answer at the moment.',
  'account.publishes': 'Everything here is published',
  'account.publishesText':
    'This is an ops account: every client account of this server can list and download all its files. Upload here only what all of them may read.',
  'account.whoIAm': 'Who I am',
  'account.name': 'Account',
  'account.email': 'Email',
  'account.since': 'Since',

  'sessions.title': 'Sessions',
  'sessions.hint': 'A revoked session ends at once, with everything that it transfers.',
  'sessions.current': 'this one',
  'sessions.times': 'since {created} · last used {used}',
  'sessions.revoke': 'Revoke',
  'sessions.revokeOne': 'Revoke the session of {client}',
  'sessions.revoked': 'Session revoked',
  'sessions.notRevoked': 'Not revoked',
  'sessions.browserOn': '{browser} on {system}',
  'sessions.unknownProgram': 'unknown program',

  'password.title': 'Password',
  'password.current': 'Current password',
  'password.new': 'New password',
  'password.change': 'Change it',
  'password.changed': 'Password changed',
  'password.changedText': 'Your other sessions have ended.',

  'publishers.title': 'Who publishes',
  'publishers.none': 'No ops account publishes yet',
  'publishers.noneHint': 'A client account reads what ops accounts publish, and this server has none of them.',
} as const
