import t from 'tap'
import type { Damage } from '../../src/store/report.ts'
import { DEVICES, deviceKey } from './cast.ts'
import { type Evidence, judge } from './damage-judge.ts'
import { owedAfter, TAKER } from './damage-owed.ts'
import { Ledger } from './ledger.ts'

const PHONE = 'fay.phone'
const STORED = '{"status":"stored"}'
const DELIVERED = '{"status":"delivered"}'
const BY_PHONE = '{"status":"delivered","device":"fay-phone"}'

function opened(): Ledger {
  const ledger = new Ledger()
  ledger.open([TAKER.name], DEVICES.map(deviceKey))
  return ledger
}

function arrive(ledger: Ledger, seq: number, isIntact = true): void {
  const arrival = { from: TAKER.name, seq, connection: 1, isIntact, isOnce: false }
  ledger.arrive(PHONE, arrival)
}

function tell(ledger: Ledger, seq: number, ...texts: string[]): void {
  for (const text of texts) {
    const { status, device } = JSON.parse(text) as { status: string; device?: string }
    const isAggregate = device === undefined
    ledger.receipt(TAKER.name, { to: 'fay', seq, status, isAggregate, connection: 1, text })
  }
}

/** Two messages to fay: the first acknowledged and told of, the second waits for her phone. */
function owed() {
  const ledger = opened()
  for (const seq of [ledger.send(TAKER.name, 'fay'), ledger.send(TAKER.name, 'fay')]) {
    ledger.acknowledge(TAKER.name, seq, 0)
  }
  arrive(ledger, 0)
  tell(ledger, 0, STORED, BY_PHONE, DELIVERED)
  return owedAfter(ledger)
}

/** A relay that brings what `come` notes, and names `damages`. */
function verdict(
  come: (ledger: Ledger) => void,
  damages: readonly Partial<Damage>[] = [],
  more: Partial<Evidence> = {},
) {
  const ledger = opened()
  come(ledger)
  return judge(owed(), {
    ledger,
    usersRefused: new Set(),
    devicesForgotten: new Set(),
    damages: damages.map((damage) => ({ kind: 'missing', text: '', ...damage })),
    ...more,
  })
}

/** Everything that is owed. */
function everything(ledger: Ledger): void {
  arrive(ledger, 1)
  tell(ledger, 1, STORED, BY_PHONE, DELIVERED)
}

const NOTHING = { users: 0, devices: 0, messages: 0, receipts: 0, returned: 0 }

t.test('a relay that brings what is owed and no more is clean', async (t) => {
  t.same(verdict(everything), { losses: NOTHING, silent: [], understated: [] })
})

t.test('a lost message is silent, understated or named', async (t) => {
  const come = (ledger: Ledger) => tell(ledger, 1, STORED)
  const losses = { ...NOTHING, messages: 1 }
  t.match(verdict(come), { losses, silent: [/lost .*1 messages/], understated: [] })
  const file: Partial<Damage> = { kind: 'file' }
  t.match(verdict(come, [file]), { silent: [/lost .*1 messages/] }, 'a file is no number')
  const back: Partial<Damage> = { kind: 'returned', table: 'entry', count: 3 }
  t.match(verdict(come, [back]), { silent: [], understated: [/1 messages; named 0 keys/] })
  const gone: Partial<Damage> = { table: 'entry', count: 1 }
  t.match(verdict(come, [gone]), { losses, silent: [], understated: [] })
  t.match(verdict(come, [{ kind: 'commits', count: 1 }]), { silent: [], understated: [] })
})

t.test('its sender may be told that it expired', async (t) => {
  const come = (ledger: Ledger) => tell(ledger, 1, STORED, '{"status":"expired"}')
  const { losses } = verdict(come, [{ table: 'entry', count: 1 }])
  t.same(losses, { ...NOTHING, messages: 1 })
})

t.test('a lost receipt takes a place in a box', async (t) => {
  const come = (ledger: Ledger) => {
    arrive(ledger, 1)
    tell(ledger, 1, BY_PHONE, DELIVERED)
  }
  t.match(verdict(come), { losses: { ...NOTHING, receipts: 1 }, silent: [/1 receipts/] })
  t.same(verdict(come, [{ table: 'box', count: 1 }]).silent, [])
})

t.test('what was acknowledged may come again where damage is named', async (t) => {
  const come = (ledger: Ledger) => {
    arrive(ledger, 0)
    everything(ledger)
  }
  t.match(verdict(come), { losses: { ...NOTHING, returned: 1 }, silent: [/nobody was owed/] })
  t.match(verdict(come, [{ kind: 'file', text: 'marks: x' }]), { silent: [/nobody was owed/] })
  t.same(verdict(come, [{ kind: 'file', text: '000005.ldb: x' }]).silent, [])
})

t.test('nothing excuses a changed message, or one that comes twice', async (t) => {
  const damages = [{ kind: 'commits' as const, count: 1 }]
  const changed = (ledger: Ledger) => arrive(ledger, 1, false)
  t.match(verdict(changed, damages), { silent: [/changed/] })
  const twice = (ledger: Ledger) => {
    everything(ledger)
    arrive(ledger, 1)
  }
  t.match(verdict(twice, damages), { silent: [/twice/] })
})

t.test('a user who cannot sign in and a forgotten device are one loss each', async (t) => {
  const nothing = () => undefined
  const usersRefused = new Set(['fay'])
  const refused = verdict(nothing, [{ table: 'entry', count: 1 }], { usersRefused })
  t.match(refused.losses, { users: 1, messages: 0 })
  t.match(verdict(nothing, [], { usersRefused }), { silent: [/1 users/, /receipts/] })
  const devicesForgotten = new Set([PHONE])
  const forgotten = verdict(everything, [], { devicesForgotten })
  t.match(forgotten, { losses: { ...NOTHING, devices: 1 }, silent: [/1 devices/] })
})
