/** What the parts say that all views are made of. */
export const partsEnglish = {
  'states.loading': 'Loading',
  'states.busy': 'One moment …',
  'states.notLoaded': 'This could not be loaded',
  'states.tryAgain': 'Try again',
  'states.pagesOf': 'Pages of {what}',
  'states.page': 'Page {page}',
  'states.back': 'Back',
  'states.next': 'Next',
  'states.stoppedBy': 'Stopped by {account}.',
  'states.close': 'Close',
  'states.messages': 'Messages',
  'states.dismiss': 'Dismiss',
  'states.unreachable': 'The server does not answer.',
  'states.answered': 'The server answered {status}.',

  'stop.title': { one: 'Stop it?', other: 'Stop {count} jobs?' },
  'stop.ofOther': 'It belongs to {account}. What it has done so far is lost.',
  'stop.ofWork': 'It has run for {time}. What it has done so far is lost.',
  'stop.ofMany': 'Some belong to other people, or have run for minutes. What they have done so far is lost.',
  'stop.stop': 'Stop',
} as const
