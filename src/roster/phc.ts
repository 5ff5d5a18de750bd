/**
 * How a password hash is written down: a PHC string with the cost it was made at, so that
 * costs can be raised without asking anybody for the password again.
 *
 *     $argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2E$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g
 */

/** What one hash costs to compute. */
export type Cost = {
  /** KiB of memory, at least 8 for each lane. */
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
}

export type Phc = { readonly cost: Cost; readonly salt: Uint8Array; readonly hash: Uint8Array }

/** Bounds on what is read, so that a forged record cannot make the relay compute for hours. */
const MEMORY_KIB_MAX = 65_536
const PASSES_MAX = 16
const LANES_MAX = 4

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,5}),t=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

export function encodePhc({ cost, salt, hash }: Phc): string {
  const { memoryKib, passes, lanes } = cost
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${base64(salt)}$${base64(hash)}`
}

/** The parts of a PHC string; `undefined` for anything else and for a cost out of bounds. */
export function parsePhc(text: string): Phc | undefined {
  const found = PHC.exec(text)
  if (found === null) return undefined
  const [, memory, passes, lanes, salt = '', hash = ''] = found
  const cost = { memoryKib: Number(memory), passes: Number(passes), lanes: Number(lanes) }
  if (!isAffordable(cost)) return undefined
  return { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

function isAffordable({ memoryKib, passes, lanes }: Cost): boolean {
  if (lanes < 1 || lanes > LANES_MAX) return false
  if (passes < 1 || passes > PASSES_MAX) return false
  return memoryKib >= 8 * lanes && memoryKib <= MEMORY_KIB_MAX
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}
