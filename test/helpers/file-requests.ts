import { expect } from 'vitest'
import type { FileRequestRecord } from '../../dist/protocol/file-requests.js'
import { type Answer, Caller } from './calls.js'
import { metadataOf, octets } from './tus.js'

/** A link for uploads, and what somebody without an account does with it. */
export interface TestRequest extends FileRequestRecord {
  /** The path of the link. */
  path: string
  /** Sends without a token. */
  sender: Caller
}

/** Asks for files in the folder `in/`. */
export async function askForFiles(owner: Caller, terms: object = {}): Promise<TestRequest> {
  const { status, json } = await owner.post('/requests', { folder: 'in/', expiresIn: 600, ...terms })
  expect(status).toBe(201)
  return { ...json, path: new URL(json.url).pathname, sender: new Caller({ url: owner.url }, '') }
}

export function sendFile(
  { path, sender }: Pick<TestRequest, 'path' | 'sender'>,
  name: string,
  body: string | Uint8Array,
): Promise<Answer> {
  return sender.call(`${path}/${name}`, { method: 'PUT', body, headers: { Authorization: '' } })
}

/** What the owner's list has of it. */
export async function listedRequest(owner: Caller, { id }: { id: string }): Promise<FileRequestRecord> {
  const { json } = await owner.call('/requests')
  return (json.requests as FileRequestRecord[]).find((each) => each.id === id)!
}

/** Begins an upload by tus, and returns its answer. */
export function beginToSend(
  { path, sender }: Pick<TestRequest, 'path' | 'sender'>,
  { name = 'sent.bin', length = 10 }: { name?: string; length?: number | null } = {},
): Promise<Answer> {
  return sender.call(`${path}/tus`, {
    method: 'POST',
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Metadata': metadataOf({ filename: name }),
      ...(length === null ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': length }),
      'Content-Length': 0,
    },
  })
}

export function continueToSend(
  { sender }: Pick<TestRequest, 'sender'>,
  location: string,
  offset: number,
  body: string,
): Promise<Answer> {
  const headers = { 'Tus-Resumable': '1.0.0', 'Content-Type': octets, 'Upload-Offset': offset }
  return sender.call(location, { method: 'PATCH', headers, body })
}
