/** Parts for the roster's tests: a clock that is moved by hand, and state kept in memory. */
import { randomBytes } from 'node:crypto'
import type { Clock, ClockQuality } from '../../src/clock.ts'
import type { UserId } from '../../src/message/names.ts'
import { Passwords } from '../../src/roster/passwords.ts'
import type { Cost } from '../../src/roster/phc.ts'
import type { StateLog } from '../../src/roster/records.ts'
import { Roster } from '../../src/roster/roster.ts'

/** Dear enough to differ from `GENERATED_COST`, cheap enough for tests. */
export const CHEAP: Cost = { memoryKib: 64, passes: 1, lanes: 1 }

export class ManualClock implements Clock {
  nowMs = 0
  /** Wall clock is this much ahead of monotonic time. */
  wallOffsetMs = Date.UTC(2026, 5, 1)
  trust: ClockQuality = 'ntp'
  readonly #timers = new Set<{ atMs: number; run: () => void }>()

  monotonicMs(): number {
    return this.nowMs
  }

  wallMs(): number {
    return this.nowMs + this.wallOffsetMs
  }

  quality(): ClockQuality {
    return this.trust
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Moves time; a timer that comes due runs once. */
  advance(ms: number): void {
    this.nowMs += ms
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.nowMs) continue
      this.#timers.delete(timer)
      timer.run()
    }
  }

  get timers(): number {
    return this.#timers.size
  }
}

/** State that is kept in memory, and every write that was asked for. */
export class KeptState implements StateLog {
  readonly records = new Map<string, unknown>()
  readonly writes: string[] = []
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  put(kind: string, key: string, value: unknown): void {
    this.writes.push(`${kind} ${key}`)
    this.records.set(`${kind} ${key}`, structuredClone(value))
  }

  removeState(kind: string, key: string): void {
    this.writes.push(`-${kind} ${key}`)
    this.records.delete(`${kind} ${key}`)
  }

  ageMs(): number {
    return this.#clock.monotonicMs()
  }

  /** Every record, the last one written first: a restart must not depend on the order. */
  *stored(): Generator<[kind: string, key: string, value: unknown]> {
    for (const [id, value] of [...this.records].reverse()) {
      const [kind = '', key = ''] = id.split(' ')
      yield [kind, key, value]
    }
  }
}

export class Rig {
  readonly clock = new ManualClock()
  readonly state = new KeptState(this.clock)
  readonly presences: UserId[] = []
  passwords = new Passwords({ random: randomBytes }, { cost: CHEAP })
  roster = this.#make()

  #make(): Roster {
    return new Roster({
      state: this.state,
      clock: this.clock,
      passwords: this.passwords,
      onPresence: (user) => this.presences.push(user),
    })
  }

  /** A new roster on what is stored, as after a crash; returns the records it could not use. */
  restart(): string[] {
    this.roster = this.#make()
    const refused: string[] = []
    for (const [kind, key, value] of this.state.stored()) {
      if (!this.roster.restore(kind, key, value)) refused.push(`${kind} ${key}`)
    }
    this.roster.start()
    return refused
  }
}
