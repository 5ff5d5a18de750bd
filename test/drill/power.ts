/**
 * The fault of a power cut on a real file system whose unsynced writes are lost.
 *
 *     DIR/outer.img   XFS with reflinks, loop-mounted at DIR/outer
 *       outer/disk.img  ext4, loop-mounted at DIR/disk: the machine's disk, with the store on it
 *       outer/cut.img   a reflink copy of disk.img, taken in an instant
 *
 * What only sits in the page cache of the ext4 is not in the copy. The machine then goes on from
 * the copy, so ext4's journal, the store and the relay all have to recover from it. Not covered:
 * torn sectors, writes reordered below the file system, disks that lie about a flush.
 */
import { execFile } from 'node:child_process'
import { constants, copyFileSync } from 'node:fs'
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Broker } from './broker.ts'
import type { Fault } from './drill.ts'

const run = promisify(execFile)

const PREFIX = 'waypost-power-'
const MIB = 1024 * 1024
/** XFS refuses less than 300 MB; images are sparse, so unused space costs nothing. */
const OUTER_BYTES = 1_600 * MIB
const DISK_BYTES = 512 * MIB

export class PowerDisk implements Fault {
  #folder: string | undefined

  /** Folder on the disk that loses power. */
  get dataDir(): string {
    return join(this.#path('disk'), 'data')
  }

  /** Makes and mounts the disk, after removing what earlier drills that died left. @throws Error */
  async start(): Promise<void> {
    await removeLeftovers()
    this.#folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
    for (const name of ['outer', 'disk']) await mkdir(this.#path(name))
    await image(this.#path('outer.img'), OUTER_BYTES)
    await run('mkfs.xfs', ['-q', '-m', 'reflink=1', this.#path('outer.img')])
    await run('mount', ['-o', 'loop', this.#path('outer.img'), this.#path('outer')])
    await image(this.#path('outer', 'disk.img'), DISK_BYTES)
    await run('mkfs.ext4', ['-q', this.#path('outer', 'disk.img')])
    await this.#mount()
    await mkdir(this.dataDir, { mode: 0o700 })
    // The empty folder is there before the first cut, as on an installed machine.
    await run('sync', ['-f', this.#path('disk')])
  }

  async strike(broker: Broker, drop: () => void): Promise<void> {
    const disk = this.#path('outer', 'disk.img')
    const cut = this.#path('outer', 'cut.img')
    // In one turn: every acknowledgement heard so far precedes the copy, and none after it counts.
    copyFileSync(disk, cut, constants.COPYFILE_FICLONE_FORCE)
    drop()
    await broker.kill()
    await run('umount', [this.#path('disk')])
    await rename(cut, disk)
    await this.#mount()
  }

  /** Unmounts and removes everything. Idempotent. */
  async stop(): Promise<void> {
    if (this.#folder !== undefined) await removeDisk(this.#folder)
    this.#folder = undefined
  }

  async #mount(): Promise<void> {
    await run('mount', ['-o', 'loop', this.#path('outer', 'disk.img'), this.#path('disk')])
  }

  #path(...names: readonly string[]): string {
    if (this.#folder === undefined) throw new Error('the disk was not started')
    return join(this.#folder, ...names)
  }
}

/** Processes with a file open in a folder: a broker whose drill was killed. */
async function usersOf(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid)
  const users: number[] = []
  for (const pid of pids) {
    // Processes and files come and go while they are looked at.
    const names = await readdir(`/proc/${pid}/fd`).catch(() => [])
    const files = await Promise.all(
      names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')),
    )
    if (files.some((file) => file.startsWith(`${folder}/`))) users.push(pid)
  }
  return users
}

/** Why no power can be cut here; nothing where it can. */
export async function powerUnavailable(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'mounting loop devices needs root'
  for (const [tool, ...args] of [
    ['mkfs.xfs', '-V'],
    ['mkfs.ext4', '-V'],
  ] as const) {
    const failed = await run(tool, args).then(
      () => false,
      () => true,
    )
    if (failed) return `${tool} is missing (apt-get install xfsprogs e2fsprogs)`
  }
  const disk = new PowerDisk()
  try {
    await disk.start()
    return undefined
  } catch (error) {
    return `loop devices with XFS and ext4 do not work here (${String(error).trim()})`
  } finally {
    await disk.stop()
  }
}

async function image(file: string, bytes: number): Promise<void> {
  await writeFile(file, '')
  await truncate(file, bytes)
}

/** Removes the disks of drills that are no longer alive. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const pid = Number(name.slice(PREFIX.length).split('-')[0])
    if (!isAlive(pid)) await removeDisk(join(tmpdir(), name))
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function removeDisk(folder: string): Promise<void> {
  for (const pid of await usersOf(folder)) process.kill(pid, 'SIGKILL')
  const mounted = (await readFile('/proc/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${folder}/`))
  // The last one mounted lies on those before it.
  for (const point of mounted.reverse()) {
    await run('umount', [point]).catch(() => run('umount', ['--lazy', point]))
  }
  await rm(folder, { recursive: true, force: true })
}
