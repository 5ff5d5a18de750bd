import t from 'tap'
import { DeliveryAnswers } from '../../src/broker/delivery-answers.ts'
import type { OrdinarySession } from '../../src/broker/ordinary/session.ts'
import type { DeviceSession } from '../../src/delivery/session.ts'
import { LIMITS } from '../../src/limits.ts'
import { packetOf } from './frame.ts'

/** What nobody has sent. */
const UNKNOWN = 99

/** A lane that notes what it is told, and how a PUBREC of it is recorded. */
function lane(name: string, happened: string[], recording: (() => void)[]) {
  const note = (what: string) => (packetId: number) => {
    happened.push(`${name} ${what} ${packetId}`)
    return packetId !== UNKNOWN
  }
  return {
    completed: note('done'),
    acknowledged: note('done'),
    received: (packetId: number, recorded: () => void) => {
      note('received')(packetId)
      recording.push(recorded)
    },
    pump: () => happened.push(`${name} goes on`),
    resume: () => happened.push(`${name} goes on`),
  }
}

function scene() {
  const happened: string[] = []
  const recording: (() => void)[] = []
  const sent: Buffer[] = []
  const ended: number[] = []
  const answers = new DeliveryAnswers({
    version: 5,
    disconnect: (reason) => ended.push(reason),
    session: lane('mail', happened, recording) as unknown as DeviceSession,
    ordinary: lane('ordinary', happened, recording) as unknown as OrdinarySession,
    outbox: { push: (packet) => sent.push(packet) },
  })
  return { answers, happened, recording, sent, ended }
}

const GO_ON = ['ordinary goes on', 'mail goes on']

t.test('each goes to its lane, and then both have room', async (t) => {
  const { answers, happened } = scene()
  answers.take(packetOf(0x40, 0x80, 1))
  t.same(happened.splice(0), ['mail done 32769', ...GO_ON])
  answers.take(packetOf(0x70, 0, 7))
  t.same(happened.splice(0), ['ordinary done 7', ...GO_ON])
  answers.take(packetOf(0x50, 0, 7, 0x97))
  t.same(happened.splice(0), ['ordinary done 7', ...GO_ON], 'a PUBREC that refuses')
})

t.test('PUBRELs go out in the order of the PUBRECs, whatever the lane', async (t) => {
  const { answers, happened, recording, sent } = scene()
  answers.take(packetOf(0x50, 0, 7))
  answers.take(packetOf(0x50, 0x80, 1))
  t.same(happened, ['ordinary received 7', 'mail received 32769'])
  recording[1]?.()
  t.same(sent, [])
  recording[0]?.()
  t.same(sent, [Buffer.from([0x62, 2, 0, 7]), Buffer.from([0x62, 2, 0x80, 1])])
})

t.test('acknowledgements of nothing are let pass up to the bound', async (t) => {
  const { answers, happened, ended } = scene()
  for (let count = 0; count < LIMITS.unknownAcksMax; count += 1) {
    answers.take(packetOf(0x40, 0, UNKNOWN))
  }
  t.notOk(happened.includes('mail goes on'), 'and make no room')
  t.same(ended, [])
  answers.take(packetOf(0x70, 0, UNKNOWN))
  t.same(ended, [0x82])
})

t.test('before CONNECT is taken there are no lanes', async (t) => {
  const outbox = { push: () => undefined }
  const answers = new DeliveryAnswers({
    version: 4,
    session: undefined,
    ordinary: undefined,
    outbox,
    disconnect: () => undefined,
  })
  t.doesNotThrow(() => {
    answers.take(packetOf(0x40, 0, 1))
    answers.take(packetOf(0x50, 0x80, 1))
    answers.resume()
  })
})
