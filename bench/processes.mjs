import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** The processor time of a process so far, of all its threads, in hundredths of a second. */
export function processorTicks(pid) {
  const fields = fieldsOf(pid)
  return Number(fields[11]) + Number(fields[12])
}

/** That of a process and its children, also of those that have ended. */
export function processorTicksOfFamily(pid) {
  const ended = fieldsOf(pid).slice(13, 15).map(Number)
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
  const each = [pid, ...children].map((child) => ticksIfThere(child))
  return [...ended, ...each].reduce((sum, ticks) => sum + ticks, 0)
}

export function peakResidentMb(pid) {
  const kibibytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kibibytes) * 1024) / 1e6
}

/** Returns what says how busy the machine was since: its cores, of all that it has. */
export function watchLoad() {
  const before = cpuTimes()
  return () => {
    const after = cpuTimes()
    const share = (after.busy - before.busy) / (after.all - before.all)
    return `${(share * cpus().length).toFixed(1)} of ${cpus().length} cores busy`
  }
}

function cpuTimes() {
  const times = cpus().flatMap((cpu) => Object.entries(cpu.times))
  const sum = (entries) => entries.reduce((total, [, ms]) => total + ms, 0)
  return { all: sum(times), busy: sum(times.filter(([kind]) => kind !== 'idle')) }
}

function parentOf(pid) {
  return ifThere(() => Number(fieldsOf(pid)[1]), 0)
}

function ticksIfThere(pid) {
  return ifThere(() => processorTicks(pid), 0)
}

/** A process may end while it is looked at. */
function ifThere(read, otherwise) {
  try {
    return read()
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return otherwise
    throw error
  }
}

/** Of /proc/PID/stat, from its state on. */
function fieldsOf(pid) {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
}
