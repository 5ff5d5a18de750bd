import mqttPacket from 'mqtt-packet'
import t from 'tap'
import { readConnect } from '../../src/broker/connect.ts'
import { RelayError } from '../../src/errors.ts'

function connect(protocolVersion: 3 | 4 | 5, more: object = {}): Buffer {
  return mqttPacket.generate({
    cmd: 'connect',
    protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion,
    clientId: 'phone',
    clean: true,
    keepalive: 60,
    username: 'alice',
    password: Buffer.from('secret'),
    will: { topic: 'a/b', payload: Buffer.from('bye'), qos: 1, retain: true },
    ...more,
  })
}

t.test('version, client id and Receive Maximum are read', async (t) => {
  t.same(readConnect(connect(3)), { version: 3, clientId: 'phone', receiveMaximum: 65_535 })
  t.same(readConnect(connect(4)), { version: 4, clientId: 'phone', receiveMaximum: 65_535 })
  const five = connect(5, { clientId: '', properties: { receiveMaximum: 7 } })
  t.same(readConnect(five), { version: 5, clientId: '', receiveMaximum: 7 })
})

t.test('every truncation, at its word or not, is BAD_PACKET', async (t) => {
  for (const version of [3, 4, 5] as const) {
    const whole = connect(version, version === 5 ? { properties: { receiveMaximum: 7 } } : {})
    for (let end = 0; end < whole.length; end += 1) {
      const cut = Buffer.from(whole.subarray(0, end))
      t.throws(() => readConnect(cut), { code: 'BAD_PACKET' })
      if (end < 2) continue
      cut[1] = end - 2
      t.throws(() => readConnect(cut), { code: 'BAD_PACKET' })
    }
  }
})

t.test('another packet is BAD_PACKET', async (t) => {
  for (const bytes of [[0xc0, 0], [0x20, 2, 0, 0], [0x11, 0], []]) {
    t.throws(() => readConnect(Buffer.from(bytes)), { code: 'BAD_PACKET' })
  }
})

t.test('no bytes make it anything but a RelayError', async (t) => {
  const whole = connect(5, { properties: { receiveMaximum: 7, userProperties: { a: 'b' } } })
  for (let at = 0; at < whole.length; at += 1) {
    for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
      const mutated = Buffer.from(whole)
      mutated[at] = value
      try {
        readConnect(mutated)
      } catch (error) {
        if (!(error instanceof RelayError)) t.fail(`byte ${at} = ${value}: ${error}`)
      }
    }
  }
})
