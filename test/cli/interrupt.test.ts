import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createInterrupt } from '../../dist/cli/interrupt.js'

describe('an interrupt', () => {
  // The process is shared with other test files, whose libraries listen too: a signal of these tests is not for them.
  beforeEach(() => {
    const others = (['SIGINT', 'SIGHUP'] as const).map((signal) => [signal, process.rawListeners(signal)] as const)
    for (const [signal] of others) process.removeAllListeners(signal)
    onTestFinished(() => {
      for (const [signal, listeners] of others) {
        for (const listener of listeners) process.on(signal, listener as NodeJS.SignalsListener)
      }
    })
  })

  it('counts the SIGINT that npm forwards as the same Ctrl-C, and a later one as a second Ctrl-C', () => {
    const now = vi.spyOn(performance, 'now')
    const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`exit ${code}`)
    })
    const heard: string[] = []
    const stopListening = createInterrupt().listen((signal) => heard.push(signal))
    onTestFinished(() => {
      stopListening()
      now.mockRestore()
      exit.mockRestore()
    })

    now.mockReturnValue(1000)
    process.emit('SIGINT', 'SIGINT')
    now.mockReturnValue(1020)
    process.emit('SIGINT', 'SIGINT')
    expect(heard).toEqual(['SIGINT'])
    now.mockReturnValue(1500)
    expect(() => process.emit('SIGINT', 'SIGINT')).toThrow('exit 130')
    expect(heard).toEqual(['SIGINT'])
  })

  it('is raised by a closed terminal (SIGHUP) only while there is something to clean up', () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
    const heard: string[] = []
    let leavesSomething = true
    const stopListening = createInterrupt().listen(
      (signal) => heard.push(signal),
      () => leavesSomething,
    )
    onTestFinished(() => {
      stopListening()
      kill.mockRestore()
    })
    process.emit('SIGHUP', 'SIGHUP')
    expect([heard, kill.mock.calls]).toEqual([['SIGHUP'], []])
    stopListening()
    leavesSomething = false
    onTestFinished(createInterrupt().listen(expect.unreachable, () => leavesSomething))
    process.emit('SIGHUP', 'SIGHUP')
    // From here on the signal has its default effect.
    expect([process.listenerCount('SIGHUP'), kill.mock.calls]).toEqual([0, [[process.pid, 'SIGHUP']]])
  })
})
