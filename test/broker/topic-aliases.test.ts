import t from 'tap'
import { TopicAliases } from '../../src/broker/topic-aliases.ts'
import { LIMITS } from '../../src/limits.ts'

t.test('an alias stands for the topic that was last sent with it', async (t) => {
  const aliases = new TopicAliases()
  t.equal(aliases.resolve('a', undefined), 'a')
  t.equal(aliases.resolve('a', 1), 'a')
  t.equal(aliases.resolve('', 1), 'a')
  t.equal(aliases.resolve('b', 1), 'b')
  t.equal(aliases.resolve('', 1), 'b')
})

t.test('one that was never set is PROTOCOL_ERROR', async (t) => {
  t.throws(() => new TopicAliases().resolve('', 1), { code: 'PROTOCOL_ERROR' })
})

t.test('the bound is allowed; 0 and one past it are not', async (t) => {
  const aliases = new TopicAliases()
  t.equal(aliases.resolve('a', LIMITS.topicAliasMax), 'a')
  for (const alias of [0, LIMITS.topicAliasMax + 1]) {
    t.throws(() => aliases.resolve('a', alias), { code: 'TOPIC_ALIAS' })
  }
})

t.test('topics are bounded together; one that gives way makes room', async (t) => {
  const aliases = new TopicAliases()
  const half = LIMITS.topicAliasCharsMax / 2
  aliases.resolve('a'.repeat(half), 1)
  aliases.resolve('b'.repeat(half), 2)
  aliases.resolve('c'.repeat(half), 1)
  t.throws(() => aliases.resolve('d', 3), { code: 'TOPIC_ALIAS' })
})
