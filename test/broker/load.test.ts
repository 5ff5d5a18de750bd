import t from 'tap'
import { Load } from '../../src/broker/load.ts'

const MINUTE_MS = 60_000

t.test('what comes evenly is its rate a minute, sooner in the shorter windows', async (t) => {
  const load = new Load()
  for (let minutes = 1; minutes <= 5; minutes += 1) load.update(minutes * 600, MINUTE_MS)
  const first = Object.fromEntries(load.entries())
  t.ok(Number(first['1min']) > 590)
  t.ok(Number(first['5min']) < 400)
  for (let minutes = 6; minutes <= 120; minutes += 1) load.update(minutes * 600, MINUTE_MS)
  for (const [window, text] of load.entries()) t.ok(Number(text) > 599, window)
})

t.test('what has ended fades away', async (t) => {
  const load = new Load()
  load.update(1_000, MINUTE_MS)
  for (let minutes = 0; minutes < 200; minutes += 1) load.update(1_000, MINUTE_MS)
  t.same(
    [...load.entries()],
    [
      ['1min', '0.00'],
      ['5min', '0.00'],
      ['15min', '0.00'],
    ],
  )
})

t.test('it is the same however often one looks', async (t) => {
  const [seldom, often] = [new Load(), new Load()]
  seldom.update(600, MINUTE_MS)
  for (let looks = 1; looks <= 6; looks += 1) often.update(looks * 100, MINUTE_MS / 6)
  t.same([...often.entries()], [...seldom.entries()])
})
