import t from 'tap'
import type { Connection } from '../../src/broker/connection.ts'
import { ConnectedDevice } from '../../src/broker/device-port.ts'
import { encodePublish } from '../../src/broker/publish.ts'
import { deviceId, userId } from '../../src/message/names.ts'

t.test('a connection shows delivery what a device is and takes', async (t) => {
  const sent: Buffer[] = []
  const ended: number[] = []
  let takesAll = true
  const connection = {
    connect: { version: 5, clientId: 'phone', receiveMaximum: 7 },
    version: 5,
    isResumed: true,
    isCongested: false,
    isWindowFull: false,
    takes: () => takesAll,
    outbox: { push: (packet: Buffer) => sent.push(packet) },
    disconnect: (reason: number) => ended.push(reason),
  } as unknown as Connection
  const options = { user: userId('bob'), device: deviceId('phone') }
  const port = new ConnectedDevice(connection, options)
  t.match(port, {
    ...options,
    receiveMaximum: 7,
    isResumed: true,
    isCongested: false,
    isWindowFull: false,
  })
  const outgoing = {
    topic: 'users/bob/inbox/alice/m1',
    payload: Buffer.from('x'),
    qos: 2,
    packetId: 0x8001,
    isDuplicate: true,
  } as const
  t.ok(port.publish(outgoing))
  port.release(0x8001)
  port.disconnect(0x98)
  t.same(sent, [encodePublish(outgoing, 5), Buffer.from([0x62, 2, 0x80, 1])])
  t.same(ended, [0x98])
  takesAll = false
  t.notOk(port.publish(outgoing), 'a client takes no longer packets than it said')
  t.equal(sent.length, 2)
})

t.test('before CONNECT is read, one message at a time', async (t) => {
  const connection = {} as unknown as Connection
  const port = new ConnectedDevice(connection, { user: userId('bob'), device: deviceId('phone') })
  t.equal(port.receiveMaximum, 1)
})
