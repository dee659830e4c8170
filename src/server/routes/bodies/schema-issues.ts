import { z } from 'zod'

/** Formats an issue for clients, who do not know zod: `state must be one of waiting, running`. */
export function formatIssue(issue: z.core.$ZodIssue, schema?: z.ZodType): string {
  return `${fieldOf(issue)} ${formatFault(issue, schema)}`
}

/** The field at fault without positions in lists: `state` of `state.0`; `body` for the whole. */
export function fieldOf({ path }: z.core.$ZodIssue): string {
  return path.filter((part) => typeof part !== 'number').join('.') || 'body'
}

/** What the field must be, to follow its name. */
export function formatFault(issue: z.core.$ZodIssue, schema?: z.ZodType): string {
  switch (issue.code) {
    case 'invalid_type':
      return formatType(issue, schema)
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}`
    case 'too_small':
      return (
        customMessage(issue) ??
        `must ${haveOrBe(issue.origin)} ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${unitOf(issue.origin)}`
      )
    case 'too_big':
      return (
        customMessage(issue) ??
        `must ${haveOrBe(issue.origin)} ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${unitOf(issue.origin)}`
      )
    case 'invalid_format':
      return customMessage(issue) ?? `must be ${formatNames[issue.format] ?? 'written in another way'}`
    case 'unrecognized_keys':
      return `must not have the field ${issue.keys.join(', ')}`
    default:
      return customMessage(issue) ?? 'is not valid'
  }
}

function formatType(issue: z.core.$ZodIssueInvalidType, schema: z.ZodType | undefined): string {
  const isMissing = issue.message.endsWith('received undefined')
  const fault = isMissing ? 'is missing' : `must be ${kinds[issue.expected] ?? issue.expected}`
  const listsFields = (isMissing || issue.path.length === 0) && schema instanceof z.ZodObject
  return listsFields ? `${fault}; the fields are ${Object.keys(schema.shape).join(', ')}` : fault
}

/** The message where our schema gives one, and not zod. */
function customMessage({ message }: z.core.$ZodIssue): string | undefined {
  return /^(Invalid|Too (small|big))/.test(message) ? undefined : message
}

function haveOrBe(origin: string): string {
  return origin === 'string' || origin === 'array' ? 'have' : 'be'
}

function unitOf(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : ''
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

const formatNames: Readonly<Record<string, string>> = {
  date: 'a date such as 2026-01-31',
  datetime: 'a time such as 2026-01-31T12:00:00Z',
  uuid: 'a UUID',
  email: 'an email address',
}
