/**
 * Reads a relay empty as its clients would: everybody signs in, every device takes what waits
 * for it. Each box ends with a message to oneself, so that nobody has to guess when it is empty.
 */
import { Refused } from '../load/load-client.ts'
import { SeededRandom } from '../load/random.ts'
import type { Address } from './broker.ts'
import { DEVICES, deviceKey, RECIPIENTS } from './cast.ts'
import { TAKER } from './damage-owed.ts'
import { Device } from './device.ts'
import { Ledger } from './ledger.ts'
import { Sender } from './sender.ts'

export type Reading = {
  /** What came; the messages to oneself, too. */
  readonly ledger: Ledger
  /** Who could not sign in. */
  readonly usersRefused: ReadonlySet<string>
}

const STALL_MS_MAX = 15_000

/**
 * @param passwords by user
 * @throws Error where the relay ends, or keeps back what it accepted now
 */
export async function readEverything(
  address: Address,
  passwords: ReadonlyMap<string, string>,
): Promise<Reading> {
  const users = [TAKER.name, ...RECIPIENTS]
  const ledger = new Ledger()
  ledger.open(users, DEVICES.map(deviceKey))
  const passwordOf = (user: string): string => passwords.get(user) ?? ''
  const senders = new Map<string, Sender>()
  for (const user of users) {
    const sender = senderOf(ledger, user, passwordOf(user))
    if (await isSignedIn(sender, address)) senders.set(user, sender)
  }
  const devices = DEVICES.filter(({ user }) => senders.has(user)).map(
    (role) => new Device({ ledger }, { ...role, password: passwordOf(role.user) }),
  )
  await Promise.all(devices.map((device) => device.connect(address)))
  for (const user of RECIPIENTS) senders.get(user)?.sendOneToEach()
  await Promise.all(devices.map((device) => emptied(ledger, device)))
  // An acknowledgement that comes before the goodbye counts before what the taker says next.
  await Promise.all(devices.map((device) => device.disconnect()))
  const taker = senders.get(TAKER.name)
  if (taker !== undefined) await receiptsTaken(ledger, taker)
  await Promise.all([...senders.values()].map((sender) => sender.disconnect()))
  return { ledger, usersRefused: new Set(users.filter((user) => !senders.has(user))) }
}

/** Someone who writes to nobody else; the taker gets the receipts that wait, as before. */
function senderOf(ledger: Ledger, user: string, password: string): Sender {
  return new Sender(
    { ledger, random: new SeededRandom(0) },
    { ...TAKER, name: user, password, recipients: [user], wantsReceipts: user === TAKER.name },
  )
}

async function isSignedIn(sender: Sender, address: Address): Promise<boolean> {
  try {
    await sender.connect(address)
    return true
  } catch (error) {
    if (error instanceof Refused) return false
    throw error
  }
}

async function emptied(ledger: Ledger, device: Device): Promise<void> {
  const isLast = () => ledger.arrivals.get(device.key)?.at(-1)?.from === device.role.user
  await arrived(ledger, isLast, device.key)
}

async function receiptsTaken(ledger: Ledger, taker: Sender): Promise<void> {
  taker.sendOneToEach()
  const isLast = () => ledger.receipts.get(TAKER.name)?.at(-1)?.to === TAKER.name
  await arrived(ledger, isLast, `the receipts of ${TAKER.name}`)
}

async function arrived(ledger: Ledger, isLast: () => boolean, box: string): Promise<void> {
  if (await ledger.until(isLast, STALL_MS_MAX)) return
  throw new Error(`what was sent last did not reach ${box}, nothing came for ${STALL_MS_MAX} ms`)
}
