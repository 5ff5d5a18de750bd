import fc from 'fast-check'
import t from 'tap'
import { LevelTrie } from '../../../src/broker/ordinary/level-trie.ts'
import { filterMatches, isFilter } from '../../../src/message/topic.ts'

function trieOf(paths: readonly string[]): LevelTrie<string> {
  const trie = new LevelTrie<string>()
  for (const path of paths) trie.set(path, path)
  return trie
}

t.test('a topic finds the filters that match it', async (t) => {
  const filters = ['#', 'a/#', 'a/b', 'a/+', '+/b', 'b', '+', '$SYS/#', 'a/b/#', 'a/b/c']
  t.same(trieOf(filters).matching('a/b').sort(), ['#', '+/b', 'a/#', 'a/+', 'a/b', 'a/b/#'])
})

t.test('a filter finds the topics that it matches', async (t) => {
  const topics = trieOf(['a', 'a/b', 'a/b/c', 'b/b', '$SYS/b', '/b', 'foo//baz', 'foo/bar/baz'])
  const found = (filter: string) => [...topics.matchedBy(filter)].sort()
  t.same(found('a/#'), ['a', 'a/b', 'a/b/c'])
  t.same(found('+/b'), ['/b', 'a/b', 'b/b'])
  t.same(found('foo/+/baz'), ['foo//baz', 'foo/bar/baz'])
  t.same(found('#'), ['/b', 'a', 'a/b', 'a/b/c', 'b/b', 'foo//baz', 'foo/bar/baz'])
  t.same(found('$SYS/#'), ['$SYS/b'])
  t.same(found('a'), ['a'])
  t.same(found('nothing/here'), [])
})

t.test('names of object properties are ordinary levels', async (t) => {
  const names = ['__proto__', 'constructor', 'toString/hasOwnProperty']
  const trie = trieOf(names)
  for (const name of names) t.same(trie.matching(name), [name])
  t.same([...trie.matchedBy('#')].sort(), [...names].sort())
  for (const name of names) trie.delete(name)
  t.same([...trie.matchedBy('#')], [])
  t.equal(trieOf([]).get('constructor'), undefined)
})

t.test('what is deleted is gone, and nothing else', async (t) => {
  const trie = trieOf(['a', 'a/b', 'a/b/c'])
  trie.delete('a/b')
  trie.delete('a/b')
  trie.delete('a/x')
  t.equal(trie.size, 2)
  t.equal(trie.get('a/b'), undefined)
  t.same([...trie.matchedBy('#')], ['a', 'a/b/c'])
  trie.set('a', 'other')
  t.equal(trie.size, 2)
  t.equal(trie.get('a'), 'other')
})

t.test('a walk goes on while topics come and go', async (t) => {
  const trie = trieOf(['a/1', 'a/2', 'a/3', 'b/1'])
  const walk = trie.matchedBy('#')
  t.equal(walk.next().value, 'a/1')
  trie.delete('a/1')
  trie.delete('a/2')
  trie.delete('a/3')
  t.equal(walk.next().value, 'b/1')
  t.equal(walk.next().done, true)
})

t.test('it matches as the filter of one topic does, for every set of filters', async (t) => {
  const seed = Number(process.env['SEED'] ?? 1)
  t.comment(`SEED=${seed}`)
  const topic = fc
    .array(fc.constantFrom('', 'a', 'b', '$s', '__proto__'), { minLength: 1, maxLength: 4 })
    .map((levels) => levels.join('/'))
    .filter((path) => path !== '')
  const filter = fc
    .array(fc.constantFrom('', 'a', 'b', '$s', '__proto__', '+', '#'), {
      minLength: 1,
      maxLength: 4,
    })
    .map((levels) => levels.join('/'))
    .filter(isFilter)
  const model = fc.property(
    fc.uniqueArray(filter, { maxLength: 20 }),
    fc.uniqueArray(topic, { maxLength: 20 }),
    fc.func<[string], boolean>(fc.boolean()),
    (filters, topics, isLeaving) => {
      const byFilter = trieOf(filters)
      const byTopic = trieOf(topics)
      for (const path of filters) if (isLeaving(path)) byFilter.delete(path)
      for (const path of topics) if (isLeaving(path)) byTopic.delete(path)
      const filtersLeft = filters.filter((path) => !isLeaving(path))
      const topicsLeft = topics.filter((path) => !isLeaving(path))
      for (const one of topics) {
        const wanted = filtersLeft.filter((path) => filterMatches(path, one)).sort()
        if (byFilter.matching(one).sort().join(' ') !== wanted.join(' ')) return false
      }
      for (const one of filters) {
        const wanted = topicsLeft.filter((path) => filterMatches(one, path)).sort()
        if ([...byTopic.matchedBy(one)].sort().join(' ') !== wanted.join(' ')) return false
      }
      return byFilter.size === filtersLeft.length && byTopic.size === topicsLeft.length
    },
  )
  fc.assert(model, { seed, numRuns: 500 })
  t.pass('500 sets')
})
