import { describe, expect, it } from 'vitest'
import { Administration } from '../../../dist/server/auth/administration.js'
import { Invitations, invitationToken } from '../../../dist/server/auth/invitations.js'
import { openAuthentication } from '../../helpers/authentication.js'
import { TestClock } from '../../helpers/test-clock.js'

const password = 'correct horse'
const here = { address: '192.0.2.1', client: 'curl' }
const notFound = { code: 'invitation-not-found' }

describe('an invitation', () => {
  it('sets the password once, and ends the sessions', async () => {
    const { invitations, authentication, ann, token } = await open()
    const { revoked } = await authentication.identify(ann.token)
    expect(await invitations.find(token)).toMatchObject({ account: { username: 'ann' } })
    expect(await invitations.accept(token, 'a newer horse', here)).toMatchObject({ username: 'ann', invitation: null })
    expect(revoked.reason).toMatchObject({ by: 'user:ann' })
    await authentication.logIn({ role: 'user', username: 'ann', password: 'a newer horse' }, here)
    await expect(invitations.find(token)).rejects.toMatchObject(notFound)
    await expect(invitations.accept(token, password, here)).rejects.toMatchObject(notFound)
  })

  it('leaves the password valid until it is accepted, and after it has expired', async () => {
    const { invitations, authentication, clock, token } = await open()
    const login = { role: 'user', username: 'ann', password } as const
    await authentication.logIn(login, here)
    await clock.advance(59_999)
    await invitations.find(token)
    await clock.advance(1)
    await expect(invitations.find(token)).rejects.toMatchObject(notFound)
    await expect(invitations.accept(token, 'a newer horse', here)).rejects.toMatchObject(notFound)
    await authentication.logIn(login, here)
  })

  it('is accepted by one of several calls at the same time', async () => {
    const { invitations, authentication, token } = await open()
    const wanted = ['the first horse', 'the second horse', 'the third horse']
    const calls = await Promise.allSettled(wanted.map((each) => invitations.accept(token, each, here)))
    expect(calls.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    const winner = wanted[calls.findIndex(({ status }) => status === 'fulfilled')]!
    await authentication.logIn({ role: 'user', username: 'ann', password: winner }, here)
  })

  it.each([
    ['a later one', ({ invitations, ann }: Opened) => invitations.invite(ann.account, 60)],
    [
      'a new password by an admin',
      ({ administration, ann }: Opened) =>
        administration.change(ann.account, { password: 'a newer horse' }, { account: ann.account, sessionId: '' }),
    ],
    [
      'a new password by its owner',
      async ({ authentication, ann }: Opened) =>
        authentication.changePassword(await authentication.identify(ann.token), password, 'a newer horse', here),
    ],
  ])('ends with %s', async (_, end) => {
    const opened = await open()
    await end(opened)
    await expect(opened.invitations.find(opened.token)).rejects.toMatchObject(notFound)
  })

  it('does not open a disabled account', async () => {
    const { invitations, accounts, ann, token } = await open()
    await accounts.update(ann.account.id, { disabled: true })
    await expect(invitations.accept(token, 'a newer horse', here)).rejects.toMatchObject({ code: 'not-allowed' })
    await accounts.update(ann.account.id, { disabled: false })
    await invitations.accept(token, 'a newer horse', here)
  })

  it('is not found by another secret, or for another account', async () => {
    const { invitations, ann, token } = await open()
    const secret = token.slice(token.indexOf('-') + 1)
    const { id } = ann.account
    for (const wrong of [`${id}-${'A'.repeat(32)}`, `${id + 1}-${secret}`, `${id}-`, secret, `${token}A`, '', '-']) {
      await expect(invitations.find(wrong), wrong).rejects.toMatchObject(notFound)
    }
  })
})

type Opened = Awaited<ReturnType<typeof open>>

/** An account with an invitation for a minute. */
async function open() {
  const clock = new TestClock()
  const services = await openAuthentication({ clock })
  const invitations = new Invitations(services)
  const administration = new Administration({
    ...services,
    usage: { all: async () => new Map() },
    history: { countUnfinished: async () => new Map() },
    quota: null,
    stopAccountJobs: async () => {},
    removeAccountData: async () => {},
  })
  const ann = await services.authentication.signUp({ role: 'user', username: 'ann', password }, here)
  const token = invitationToken(ann.account, await invitations.invite(ann.account, 60))
  return { ...services, clock, invitations, administration, ann, token }
}
