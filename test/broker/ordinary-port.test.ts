import t from 'tap'
import type { Connection } from '../../src/broker/connection.ts'
import type { Gate } from '../../src/broker/gate.ts'
import { Copies, OrdinaryPort } from '../../src/broker/ordinary-port.ts'
import { encodePublish } from '../../src/broker/publish.ts'
import { LIMITS } from '../../src/limits.ts'
import { KeptLog } from '../support/kept-log.ts'

const OUTGOING = {
  topic: 'things/lamp/a',
  payload: Buffer.from('x'),
  qos: 0,
  packetId: 0,
  isDuplicate: false,
} as const

t.test('what is the same object is encoded once for each version', async (t) => {
  const copies = new Copies()
  const first = copies.packet(OUTGOING, 5)
  t.equal(copies.packet(OUTGOING, 5), first)
  t.same(copies.packet(OUTGOING, 4), encodePublish(OUTGOING, 4))
  t.equal(copies.packet(OUTGOING, 5), first)
  t.not(copies.packet({ ...OUTGOING }, 5), first)
})

t.test('a connection shows a session what its client is and takes', async (t) => {
  const sent: Buffer[] = []
  const ended: number[] = []
  let takesAll = true
  const connection = {
    connect: { receiveMaximum: 7 },
    version: 4,
    assignedId: 'phone',
    mailInFlight: 3,
    isCongested: true,
    takes: () => takesAll,
    outbox: { push: (packet: Buffer) => sent.push(packet) },
    disconnect: (reason: number) => ended.push(reason),
  } as unknown as Connection
  const gate = { mayRead: (_: unknown, topic: string) => topic !== 'secret' } as unknown as Gate
  const log = new KeptLog()
  const port = new OrdinaryPort(connection, { gate, copies: new Copies(), log })
  t.match(port, { receiveMaximum: 7, mailInFlight: 3, isCongested: true })
  t.ok(port.mayRead('a'))
  t.notOk(port.mayRead('secret'))
  t.ok(port.publish(OUTGOING))
  port.release(9)
  t.same(sent, [encodePublish(OUTGOING, 4), Buffer.from([0x62, 2, 0, 9])])
  port.tooSlow()
  t.same(ended, [0x97])
  takesAll = false
  t.notOk(port.publish(OUTGOING))
  t.equal(sent.length, 2)
  t.equal(log.lines.length, 1)
})

t.test('before CONNECT is read the window is that of mail', async (t) => {
  const parts = { gate: {} as Gate, copies: new Copies(), log: new KeptLog() }
  t.equal(new OrdinaryPort({} as Connection, parts).receiveMaximum, LIMITS.inFlightPerDeviceMax)
})
