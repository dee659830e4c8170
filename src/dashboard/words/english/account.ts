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
  'publishers.title': 'Who publishes',
  'publishers.none': 'No ops account publishes yet',
  'publishers.noneHint': 'A client account reads what ops accounts publish, and this server has none of them.',
} as const
