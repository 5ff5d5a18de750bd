/** A real roster, a post office that notes what it is told, and the order of what happened. */
import type { Clock } from '../../src/clock.ts'
import type { OperationParts } from '../../src/control/parts.ts'
import type { MessageRow, Trace } from '../../src/delivery/inquiry.ts'
import { systemRandom } from '../../src/ids.ts'
import type { Log } from '../../src/log.ts'
import { deviceId, messageId, userId } from '../../src/message/names.ts'
import { GENERATED_COST, Passwords } from '../../src/roster/passwords.ts'
import { Roster } from '../../src/roster/roster.ts'

const AT_MS = Date.UTC(2026, 10, 24)

/** Stands still; `tick` runs what is due for the timers that wait. */
export function stillClock() {
  const timers = new Set<() => void>()
  const clock: Clock = {
    monotonicMs: () => 0,
    wallMs: () => AT_MS,
    quality: () => 'device',
    after(_, run) {
      timers.add(run)
      return () => timers.delete(run)
    },
  }
  const tick = () => {
    for (const run of timers) run()
    timers.clear()
  }
  return { clock, tick, timers }
}

/** A log that keeps the sentences it is given. */
export function notedLog() {
  const lines: string[] = []
  const note = (_: object, text: string) => lines.push(text)
  const log: Log = { debug: note, info: note, warn: note, error: note }
  return { log, lines }
}

export function operationParts() {
  const happened: string[] = []
  const note = (what: string) => {
    happened.push(what)
  }
  const { clock } = stillClock()
  const roster = new Roster({
    state: {
      put: (kind, key) => note(`put ${kind} ${key}`),
      removeState: (kind, key) => note(`remove ${kind} ${key}`),
      ageMs: () => 0,
    },
    clock,
    passwords: new Passwords({ random: systemRandom }, { cost: GENERATED_COST }),
    onPresence: () => undefined,
  })
  roster.start()
  const traces: Trace[] = []
  const rows: MessageRow[] = []
  const parts: OperationParts = {
    roster,
    post: {
      async list(filter) {
        note(`list ${JSON.stringify(filter)}`)
        return rows
      },
      trace: async (id) => traces.filter((trace) => trace.id === id),
      counts: () => ({ accepted: 4, delivered: 2, queued: 1, expired: 1, refused: 3 }),
      disconnectUser: (user) => note(`disconnect ${user}`),
      thingRemoved: async (thing) => note(`end thing ${thing}`),
      userRemoved: async (user) => note(`end mail of ${user}`),
      deviceRevoked: async (user, device) => note(`settle without ${user} ${device}`),
    },
    condition: async () => ({
      relay: 'depot',
      version: '0.1.0',
      uptimeMs: 5_000,
      clients: 2,
      disk: { usedBytes: 10, maxBytes: 100 },
      links: [],
      problems: [],
    }),
    durable: async () => note('durable'),
  }
  return { parts, roster, happened, traces, rows }
}

export function traceOf(id: string, to: string): Trace {
  return {
    id: messageId(id),
    from: userId('alice'),
    to: userId(to),
    status: 'stored',
    bytes: 5,
    events: [{ at: '2026-11-24T00:00:00.000Z', clock: 'ntp', relay: 'depot', what: 'accepted' }],
    next: 'depot holds it',
  }
}

export const bob = userId('bob')
export const phone = deviceId('phone')
