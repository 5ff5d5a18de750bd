import t from 'tap'
import { SeededRandom } from './random.ts'

t.test('one seed gives one sequence, another seed another', async (t) => {
  const ten = (seed: number) => {
    const random = new SeededRandom(seed)
    return Array.from({ length: 10 }, () => random.uint32())
  }
  t.same(ten(7), ten(7))
  t.notSame(ten(7), ten(8))
  t.notSame(ten(0), ten(1))
})

t.test('numbers stay in their range and reach both ends of it', async (t) => {
  const random = new SeededRandom(1)
  const seen = new Set(Array.from({ length: 500 }, () => random.between(3, 6)))
  t.same([...seen].sort(), [3, 4, 5, 6])
  const scaled = Array.from({ length: 2_000 }, () => random.betweenByMagnitude(1, 1_000))
  t.ok(scaled.every((value) => value >= 1 && value <= 1_000))
  const small = scaled.filter((value) => value < 32).length
  t.ok(small > 800 && small < 1_200, 'half of them lie below the geometric middle')
  t.throws(() => random.pick([]))
})

t.test('bytes differ from each other', async (t) => {
  t.ok(new Set(new SeededRandom(5).bytes(10_000)).size > 250)
})
