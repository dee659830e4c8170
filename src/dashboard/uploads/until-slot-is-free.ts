/** Waits up to a day for the slot: another upload of the account may be running elsewhere. */
export const untilSlotIsFree = { Prefer: 'wait=86400' } as const
