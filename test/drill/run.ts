/** Sets up the broker and the fault of one drill, runs it, and clears everything away. */
import { join } from 'node:path'
import { SeededRandom } from '../load/random.ts'
import type { Broker } from './broker.ts'
import { Cleanup } from './cleanup.ts'
import { Drill, type DrillResult, type Fault } from './drill.ts'
import { killFault } from './kill.ts'
import { MosquittoProcess } from './mosquitto-process.ts'
import { PowerDisk } from './power.ts'
import { RelayProcess } from './relay-process.ts'

export type BrokerName = 'Waypost' | 'Mosquitto'

export type DrillTask = {
  readonly broker: BrokerName
  readonly fault: 'kill' | 'power cut'
  readonly rounds: number
  readonly seed: number
}

/** Longer than any start, sign-in or commit should ever take. */
const STALL_MS_MAX = 30_000
/** Mosquitto has lost what does not come; it only has to be quiet once. */
const MOSQUITTO_STALL_MS_MAX = 5_000

export async function runDrill(task: DrillTask): Promise<DrillResult> {
  const cleanup = new Cleanup()
  return cleanup.around(async () => {
    const folder = await cleanup.folder('waypost-drill-')
    const { fault, dataDir } = await faultAndFolder(task, folder, cleanup)
    const broker = brokerOf(task.broker, dataDir, folder)
    cleanup.add(() => broker.kill())
    const random = new SeededRandom(task.seed)
    const stallMsMax = broker.isPostOffice ? STALL_MS_MAX : MOSQUITTO_STALL_MS_MAX
    return new Drill({ broker, fault, random }, { rounds: task.rounds, stallMsMax }).run()
  })
}

async function faultAndFolder(
  task: DrillTask,
  folder: string,
  cleanup: Cleanup,
): Promise<{ fault: Fault; dataDir: string }> {
  if (task.fault === 'kill') return { fault: killFault, dataDir: join(folder, 'data') }
  const disk = new PowerDisk()
  cleanup.add(() => disk.stop())
  await disk.start()
  return { fault: disk, dataDir: disk.dataDir }
}

function brokerOf(name: BrokerName, dataDir: string, configDir: string): Broker {
  return name === 'Waypost'
    ? new RelayProcess({ dataDir, configDir })
    : new MosquittoProcess({ dataDir })
}
