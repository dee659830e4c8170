/** The page of a link for uploads, once its script runs. */
export const requestEnglish = {
  'send.progress': { one: '{done} of {count} file sent', other: '{done} of {count} files sent' },
  'send.ended': { one: '{count} file sent.', other: '{count} files sent.' },
  'send.someNot': { one: '{count} file sent, {failed} not.', other: '{count} files sent, {failed} not.' },
  'send.waiting': 'Waiting',
  'send.cancel': 'Cancel',
  'send.cancelOne': 'Cancel {name}',
  'send.bar': 'Progress of {name}',
  'send.lost': 'The connection was lost. Trying again…',
  'send.sent': 'Sent, {size}',
  'send.cancelled': 'Cancelled',
  'send.notSent': 'Not sent',
} as const
