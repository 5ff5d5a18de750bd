/** What a process costs, as the Linux kernel counts it in /proc. */
import { readFile } from 'node:fs/promises'

/** Kernel ticks a second; the same on every architecture that Linux shows to programs. */
const TICKS_PER_S = 100

/** CPU time used so far, all threads, user and system. */
export async function cpuMs(pid: number): Promise<number> {
  return parseCpuMs(await readFile(`/proc/${pid}/stat`, 'utf8'))
}

/** Memory that the process holds now. */
export async function residentBytes(pid: number): Promise<number> {
  return parseField(await readFile(`/proc/${pid}/status`, 'utf8'), 'VmRSS') * 1024
}

/** Bytes that the process caused to be sent to a disk, in whole pages; 0 on a tmpfs. */
export async function writtenBytes(pid: number): Promise<number> {
  return parseField(await readFile(`/proc/${pid}/io`, 'utf8'), 'write_bytes')
}

/** Reads `utime` and `stime` out of /proc/PID/stat; the program's name may hold anything. */
export function parseCpuMs(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_S
}

/** The number of a line `name: number`. @throws Error where there is none */
export function parseField(text: string, name: string): number {
  const found = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)
  if (found === null) throw new Error(`the kernel does not tell ${name}`)
  return Number(found[1])
}
