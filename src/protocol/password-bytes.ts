/** bcrypt reads no more than 72 bytes: a longer password would be truncated silently. */
export const passwordBytes = { min: 8, max: 72 } as const
