/**
 * The judgement of one damaged store: pure, from what was owed, what came, and what the relay
 * named. A lost message, device or user takes an entry with it, a lost receipt its place in a box:
 * these tables have to be named. Numbers are lower bounds: one hole takes new keys and brings
 * removed ones back, and the store can tell only the difference.
 */
import type { Damage } from '../../src/store/report.ts'
import { DEVICES, deviceKey } from './cast.ts'
import { messageKey, type Owed, receiptKey, receiptsOf, TAKER, without } from './damage-owed.ts'
import type { Reading } from './damage-reading.ts'
import type { Arrival, Ledger } from './ledger.ts'

/** What a relay with a damaged store did for its clients, and what it said. */
export type Evidence = Reading & {
  /** By `deviceKey`: the relay had forgotten them before they came again. */
  readonly devicesForgotten: ReadonlySet<string>
  /** What the relay names to its operator. */
  readonly damages: readonly Damage[]
}

/**
 * - `messages`: one device or more should have got them; those of lost users and devices aside.
 * - `returned`: messages and receipts that had been acknowledged, or that nobody is owed.
 */
export const LOSSES = ['users', 'devices', 'messages', 'receipts', 'returned'] as const

export type Losses = Record<(typeof LOSSES)[number], number>

export type DamageVerdict = {
  readonly losses: Losses
  /** What was lost, came back or was wrong without a word, as sentences; empty is good. */
  readonly silent: readonly string[]
  /** Losses beyond the lower bound ("at least") that is named for their table, as sentences. */
  readonly understated: readonly string[]
}

export function judge(owed: Owed, evidence: Evidence): DamageVerdict {
  const mail = judgeMail(owed, evidence)
  const receipts = judgeReceipts(owed, evidence, mail.lost)
  const losses = {
    users: evidence.usersRefused.size,
    devices: evidence.devicesForgotten.size,
    messages: mail.lost.size,
    receipts: receipts.lost,
    returned: mail.returned + receipts.returned,
  }
  const words = unnamed(losses, evidence.damages)
  const silent = [...mail.wrong, ...evidence.ledger.oddities, ...words.silent]
  return { losses, silent, understated: words.understated }
}

type MailFound = { readonly lost: Set<string>; returned: number; readonly wrong: string[] }

function judgeMail(owed: Owed, { ledger, usersRefused, devicesForgotten }: Evidence): MailFound {
  const found: MailFound = { lost: new Set(), returned: 0, wrong: [] }
  for (const role of DEVICES) {
    const device = deviceKey(role)
    // A forgotten device is a new one: it gets what still waits for anybody.
    if (usersRefused.has(role.user)) continue
    const arrivals = (ledger.arrivals.get(device) ?? []).filter(({ from }) => from !== role.user)
    found.wrong.push(...wrongAt(device, arrivals))
    if (devicesForgotten.has(device)) continue
    const got = new Set(arrivals.map(messageKey))
    const due = owed.mail.get(device) ?? new Set()
    for (const message of without(due, got)) found.lost.add(message)
    found.returned += without(got, due).size
  }
  return found
}

function wrongAt(device: string, arrivals: readonly Arrival[]): string[] {
  const wrong: string[] = []
  const seen = new Set<string>()
  for (const arrival of arrivals) {
    const message = messageKey(arrival)
    if (!arrival.isIntact) wrong.push(`${device} got ${message} changed`)
    if (seen.has(message)) wrong.push(`${device} got ${message} twice on one connection`)
    seen.add(message)
  }
  return wrong
}

/** @param lost messages whose sender may be told that they expired */
function judgeReceipts(
  owed: Owed,
  evidence: Evidence,
  lost: ReadonlySet<string>,
): { lost: number; returned: number } {
  const { ledger, usersRefused } = evidence
  if (usersRefused.has(TAKER.name)) return { lost: 0, returned: 0 }
  const due = without(receiptsBy(owed, ledger), owed.receiptsTaken)
  const seen = ledger.receipts
    .get(TAKER.name)
    ?.filter(({ to, status, seq }) => {
      const isOfLoss = status === 'expired' && lost.has(messageKey({ from: TAKER.name, seq }))
      return to !== TAKER.name && !isOfLoss
    })
    .map(receiptKey)
  const missing = without(due, new Set(seen))
  return { lost: missing.size, returned: (seen?.length ?? 0) - (due.size - missing.size) }
}

/** Every receipt of what the devices had before and have now. */
function receiptsBy(owed: Owed, ledger: Ledger): Set<string> {
  const now = new Map<string, Set<string>>()
  for (const [device, arrivals] of ledger.arrivals) {
    now.set(device, new Set(arrivals.map(messageKey)))
  }
  return receiptsOf(
    owed.sent,
    (device, message) =>
      owed.acknowledged.get(device)?.has(message) === true ||
      now.get(device)?.has(message) === true,
  )
}

/** What the damages named do not account for. */
function unnamed(
  losses: Losses,
  damages: readonly Damage[],
): { silent: string[]; understated: string[] } {
  const { users, devices, messages, receipts, returned } = losses
  const silent: string[] = []
  const understated: string[] = []
  const compare = (lost: number, table: string, what: string): void => {
    const own = damages.filter((damage) => isOf(damage, table))
    const named = keysGone(own)
    if (lost <= named) return
    const list = own.length === 0 ? silent : understated
    list.push(`lost ${what}; named ${named} keys of table ${table}`)
  }
  const what = `${users} users, ${devices} devices, ${messages} messages`
  compare(users + devices + messages, 'entry', what)
  compare(receipts, 'box', `${receipts} receipts`)
  if (returned > 0 && !damages.some(isOfPairs)) {
    silent.push(`${returned} messages and receipts came that nobody was owed; nothing named`)
  }
  return { silent, understated }
}

/** Whether it says of keys of this table, or of any, that they are not those that should be there. */
function isOf({ kind, table }: Damage, which: string): boolean {
  return kind !== 'file' && kind !== 'mended' && (table === undefined || table === which)
}

/** Whether it says of any pairs that they are gone, back or older; `marks` holds none. */
function isOfPairs({ kind, text }: Damage): boolean {
  return kind !== 'mended' && !text.startsWith('marks')
}

/** How many keys are said to be gone; boundless where that is not counted in keys. */
function keysGone(damages: readonly Damage[]): number {
  if (damages.some(({ kind }) => kind === 'commits' || kind === 'changed')) {
    return Number.POSITIVE_INFINITY
  }
  const sum = (wanted: Damage['kind']): number =>
    damages.reduce((total, { kind, count = 0 }) => total + (kind === wanted ? count : 0), 0)
  // What was set aside is missing, too.
  return Math.max(sum('missing'), sum('pair'))
}
