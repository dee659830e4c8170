import { passwordBytes } from '../password-bytes.js'
import { type Role, signupRoles } from '../roles.js'
import { invalidOption, type OptionParser } from './option-values.js'

/** The roles that can sign up. */
export const asSignupRoles: OptionParser<Role[]> = (text, source) => {
  if (text === 'closed') return []
  if (text === 'open') return [...signupRoles]
  const named = /^open:(.+)$/.exec(text)?.[1]?.split(',') ?? []
  const known = signupRoles.filter((role) => named.includes(role))
  if (known.length > 0 && named.every((role) => signupRoles.some((open) => open === role))) return known
  throw invalidOption(source, `must be open, closed, or open: and roles out of ${signupRoles.join(',')}, not "${text}"`)
}

export const asAdminPassword: OptionParser<string> = (text, source) => {
  const bytes = new TextEncoder().encode(text).length
  if (bytes >= passwordBytes.min && bytes <= passwordBytes.max) return text
  throw invalidOption(source, `must have ${passwordBytes.min} to ${passwordBytes.max} bytes`)
}

export const asJwtSecret: OptionParser<string> = (text, source) => {
  if (new TextEncoder().encode(text).length >= 32) return text
  throw invalidOption(source, 'must have 32 bytes or more')
}
