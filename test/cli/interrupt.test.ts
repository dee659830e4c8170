import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createInterrupt } from '../../dist/cli/interrupt.js'

describe('an interrupt', () => {
  it('takes the Ctrl-C that npm passes on for the one that the terminal sent, and a later one for a second', () => {
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

  it('hears of the end of the terminal only while something would be left behind', () => {
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
    // From here on the signal does what it always does.
    expect([process.listenerCount('SIGHUP'), kill.mock.calls]).toEqual([0, [[process.pid, 'SIGHUP']]])
  })
})
