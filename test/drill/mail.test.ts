import t from 'tap'
import { payloadOf, readReceipt, readTopic, topicOf } from './mail.ts'

t.test('sender, recipient and number can be read back from the topic', async (t) => {
  const topic = topicOf('ada', 'eve', 42)
  t.equal(topic, 'users/eve/inbox/ada/ada-0000042')
  t.same(readTopic(topic), { from: 'ada', to: 'eve', seq: 42 })
  t.equal(readTopic('users/eve/inbox/ada/ben-0000042x'), undefined)
  t.equal(readTopic('something/else'), undefined)
})

t.test('a payload follows from its topic and no other', async (t) => {
  const topic = topicOf('ada', 'eve', 42)
  t.same(payloadOf(topic), payloadOf(topic))
  t.equal(payloadOf(topic).length, 200)
  t.notSame(payloadOf(topic), payloadOf(topicOf('ada', 'eve', 43)))
})

t.test('a receipt of one device is told from that of all', async (t) => {
  const topic = 'users/ada/receipts/eve/ada-0000042'
  const seen = { to: 'eve', seq: 42, status: 'delivered' }
  t.same(readReceipt(topic, '{"status":"delivered"}'), { ...seen, isAggregate: true })
  t.same(readReceipt(topic, '{"status":"delivered","device":"phone"}'), {
    ...seen,
    isAggregate: false,
  })
  t.equal(readReceipt(topic, 'no JSON'), undefined)
  t.equal(readReceipt(topic, '7'), undefined)
  t.equal(readReceipt('users/ada/inbox/eve/ada-1', '{"status":"x"}'), undefined)
})
