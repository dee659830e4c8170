import { accountEnglish } from './english/account.js'
import { adminEnglish } from './english/admin.js'
import { dataEnglish } from './english/data.js'
import { filesEnglish } from './english/files.js'
import { jobsEnglish } from './english/jobs.js'
import { partsEnglish } from './english/parts.js'
import { requestEnglish } from './english/request.js'
import { sharedEnglish } from './english/shared.js'
import { shellEnglish } from './english/shell.js'
import { signInEnglish } from './english/sign-in.js'
import { transfersEnglish } from './english/transfers.js'
import { trayEnglish } from './english/tray.js'
import { uploadsEnglish } from './english/uploads.js'
import type { Message } from './message.js'

/** All texts of the page, in English: each subject has a file. */
export const english = {
  ...shellEnglish,
  ...signInEnglish,
  ...filesEnglish,
  ...jobsEnglish,
  ...partsEnglish,
  ...dataEnglish,
  ...accountEnglish,
  ...sharedEnglish,
  ...transfersEnglish,
  ...trayEnglish,
  ...uploadsEnglish,
  ...requestEnglish,
  ...adminEnglish,
} as const satisfies Record<string, Message>
