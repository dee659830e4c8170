import { describe, expect, inject, it } from 'vitest'
import type { BusMessage } from '../../dist/server/stores/bus.js'
import { eventually } from '../helpers/eventually.js'
import { hasDatabase, type TestDatabase, testDatabase } from './helpers/database.js'
import { startDatabaseProxy } from './helpers/database-proxy.js'
import { openNode, type TestNode } from './helpers/node.js'

describe.skipIf(!hasDatabase)('messages between servers', () => {
  it('reach all others, or one, in their order, and never another schema', async () => {
    const database = await testDatabase()
    const [a, b, c] = await openThree(database)
    const stranger = listen(await openNode(await testDatabase()))
    const [toA, toB, toC] = [listen(a), listen(b), listen(c)]
    a.bus.tell('all', { granted: '1' })
    a.bus.tell(b.lease.id, { granted: '2' })
    a.bus.tell(a.lease.id, { granted: '3' })
    a.bus.tell('all', { granted: '4' })
    await eventually('they have arrived', () => toB.length === 3 && toC.length === 2 && toA.length === 1)
    expect(toA).toEqual([[{ granted: '3' }, a.lease.id]])
    expect(toB.map(([message]) => message)).toEqual([{ granted: '1' }, { granted: '2' }, { granted: '4' }])
    expect(toC).toEqual([
      [{ granted: '1' }, a.lease.id],
      [{ granted: '4' }, a.lease.id],
    ])
    expect(stranger).toEqual([])
  })

  it('of any number and length of names arrive, though a notification has 8,000 bytes', async () => {
    const [a, b] = await openThree(await testDatabase())
    const received = listen(b)
    const sent = Array.from({ length: 500 }, (_, n) => ({ wanted: `${n} ${'ü'.repeat(n % 300)}`, isWanted: true }))
    for (const message of sent) a.bus.tell('all', message)
    await eventually('they have arrived', () => received.length === sent.length)
    expect(received.map(([message]) => message)).toEqual(sent)
  })

  it('may be lost with the connection, of which the listener is told', async () => {
    const database = await testDatabase()
    const proxy = await startDatabaseProxy(inject('database')!)
    const [a, b] = [await openNode(database), await openNode(database, { url: proxy.url })]
    let gaps = 0
    const end = b.bus.onGap(() => gaps++)
    const received = listen(b)
    proxy.cut()
    await eventually('the gap is noticed', () => gaps === 1)
    a.bus.tell('all', { granted: 'after' })
    await eventually('it hears again', () => received.length === 1)
    end()
  })

  it('that a connection no longer delivers are missed after five seconds, by the sender of its own', async () => {
    const database = await testDatabase()
    const proxy = await startDatabaseProxy(inject('database')!)
    const node = await openNode(database, { url: proxy.url })
    let gaps = 0
    node.bus.onGap(() => gaps++)
    const received = listen(node)
    node.clock.skip(4000)
    await node.lease.beat()
    node.bus.tell(node.lease.id, { granted: 'heard' })
    await eventually('it hears itself', () => received.length === 1)
    node.clock.skip(4000)
    await node.lease.beat()
    expect(gaps).toBe(0)
    proxy.deliversNotices = false
    node.clock.skip(6000)
    await node.lease.beat()
    await eventually('it listens anew', () => gaps === 1)
  })

  it('that could not be sent are told to the others as a gap, with the next ones', async () => {
    const database = await testDatabase()
    const proxy = await startDatabaseProxy(inject('database')!)
    const [a, b] = [await openNode(database, { url: proxy.url }), await openNode(database)]
    let gaps = 0
    b.bus.onGap(() => gaps++)
    const received = listen(b)
    proxy.isOpen = false
    proxy.cut()
    a.bus.tell('all', { granted: 'lost' })
    await eventually('b is told', () => {
      proxy.isOpen = true
      a.bus.tell('all', { granted: 'after' })
      return gaps > 0
    })
    await eventually('b hears again', () => received.some(([message]) => 'granted' in message))
  })

  it('are not sent after the end', async () => {
    const [a, b] = await openThree(await testDatabase())
    const received = listen(b)
    a.bus.tell('all', { granted: 'last' })
    await a.close()
    a.bus.tell('all', { granted: 'too late' })
    await eventually('the last one has arrived', () => received.length === 1)
  })
})

async function openThree(database: TestDatabase): Promise<[TestNode, TestNode, TestNode]> {
  return [await openNode(database), await openNode(database), await openNode(database)]
}

function listen(node: TestNode): [BusMessage, number][] {
  const received: [BusMessage, number][] = []
  node.bus.onMessage((message, from) => received.push([message, from]))
  return received
}
