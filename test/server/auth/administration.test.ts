import { describe, expect, it } from 'vitest'
import { Administration } from '../../../dist/server/auth/administration.js'
import { createFirstAdmin } from '../../../dist/server/auth/first-admin.js'
import { openAuthentication } from '../../helpers/authentication.js'

const password = 'correct horse'
const here = { address: '192.0.2.1', client: 'curl' }

describe('the first admin', () => {
  it('is created once, with a valid random password', async () => {
    const { accounts, passwords, authentication } = await openAuthentication()
    const drawn = await createFirstAdmin({ accounts, passwords }, null)
    expect(drawn).toMatch(/^[\w-]{16}$/)
    const login = await authentication.logIn({ role: 'admin', username: 'admin', password: drawn! }, here)
    expect(login.account).toMatchObject({ role: 'admin', username: 'admin' })
    expect(await createFirstAdmin({ accounts, passwords }, null)).toBeNull()
    expect(await accounts.list()).toHaveLength(1)
  })

  it('uses the given password, which is not printed', async () => {
    const { accounts, passwords, authentication } = await openAuthentication()
    expect(await createFirstAdmin({ accounts, passwords }, 'chosen by hand')).toBeNull()
    await authentication.logIn({ role: 'admin', username: 'admin', password: 'chosen by hand' }, here)
  })
})

describe('an admin', () => {
  it('creates accounts of any role', async () => {
    const { administration, authentication } = await open()
    const made = await administration.create({ username: 'deputy', role: 'admin', password })
    expect(made).toMatchObject({ role: 'admin', username: 'deputy', disabled: false })
    expect(await administration.create({ username: 'bob', password })).toMatchObject({ role: 'user' })
    await authentication.logIn({ role: 'admin', username: 'deputy', password }, here)
    await expect(administration.create({ username: 'BOB', password })).rejects.toMatchObject({ code: 'username-taken' })
  })

  it('sees what accounts use, do, and when they were last there', async () => {
    const { administration, ann } = await open()
    await administration.create({ username: 'new', password })
    const listed = (await administration.list()).map(({ account, ...facts }) => [account.username, facts])
    const rest = { invitedUntil: null, quotaInForce: 1000 }
    expect(listed).toEqual([
      ['admin', { used: 0, jobs: 0, lastSeenAt: expect.any(String), ...rest }],
      ['ann', { used: 10, jobs: 2, lastSeenAt: ann.session.lastUsedAt, ...rest }],
      ['new', { used: 0, jobs: 1, lastSeenAt: null, ...rest }],
    ])
  })

  it('disables an account: its sessions and jobs end at once', async () => {
    const { administration, authentication, admin, ann, events } = await open()
    const { revoked } = await authentication.identify(ann.token)
    await administration.change(ann.account, { disabled: true }, admin)
    expect(revoked.reason).toMatchObject({ by: 'admin:admin' })
    expect(events).toEqual(['stop user:ann by admin:admin'])
    await expect(authentication.identify(ann.token)).rejects.toMatchObject({ code: 'not-logged-in' })
    await administration.change(ann.account, { disabled: false }, admin)
    await expect(authentication.identify(ann.token)).rejects.toMatchObject({ code: 'not-logged-in' })
    await authentication.logIn({ role: 'user', username: 'ann', password }, here)
  })

  it('resets the password of an account: its sessions end, its jobs continue', async () => {
    const { administration, authentication, admin, ann, events } = await open()
    await administration.change(ann.account, { password: 'a newer horse' }, admin)
    await expect(authentication.identify(ann.token)).rejects.toMatchObject({ code: 'not-logged-in' })
    await authentication.logIn({ role: 'user', username: 'ann', password: 'a newer horse' }, here)
    expect(events).toEqual([])
  })

  it('keeps its own session when it changes its own password', async () => {
    const { administration, authentication, admin, adminToken } = await open()
    await administration.change(admin.account, { password: 'a newer horse' }, admin)
    await authentication.identify(adminToken)
  })

  it('removes an account by disabling it, ending its jobs, then removing its data', async () => {
    const { administration, accounts, authentication, ann, events } = await open()
    const { revoked } = await authentication.identify(ann.token)
    await administration.remove(ann.account, 'admin:admin')
    expect(revoked.aborted).toBe(true)
    expect(events).toEqual(['stop user:ann by admin:admin', 'remove user:ann by admin:admin'])
    expect(await accounts.find('user', 'ann')).toBeUndefined()
  })

  it('cannot disable or remove the last admin, and the attempt ends none of its sessions', async () => {
    const { administration, authentication, admin, adminToken, events } = await open()
    const disabled = administration.change(admin.account, { disabled: true }, admin)
    await expect(disabled).rejects.toMatchObject({ code: 'last-admin' })
    const removed = administration.remove(admin.account, 'admin:admin')
    await expect(removed).rejects.toMatchObject({ code: 'last-admin' })
    expect(events).toEqual([])
    await authentication.identify(adminToken)
  })
})

async function open() {
  const services = await openAuthentication()
  const { accounts, passwords, authentication } = services
  const events: string[] = []
  const administration = new Administration({
    ...services,
    usage: { all: async () => new Map([['user:ann', 10]]) },
    history: {
      countUnfinished: async () =>
        new Map([
          [2, 2],
          [3, 1],
        ]),
    },
    quota: 1000,
    async stopAccountJobs({ role, username }, by) {
      events.push(`stop ${role}:${username} by ${by}`)
    },
    async removeAccountData({ role, username }, by) {
      events.push(`remove ${role}:${username} by ${by}`)
    },
  })
  await createFirstAdmin({ accounts, passwords }, 'the admin of this')
  const login = { role: 'admin', username: 'admin', password: 'the admin of this' } as const
  const { token: adminToken } = await authentication.logIn(login, here)
  const admin = await authentication.identify(adminToken)
  const ann = await authentication.signUp({ role: 'user', username: 'ann', password }, here)
  return { ...services, administration, admin, adminToken, ann, events }
}
