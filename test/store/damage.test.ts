/** Sixty stores are hurt, each in one place: every one starts, and no loss goes unannounced. */
import { join } from 'node:path'
import t from 'tap'
import { copyOf, type Fixture, hurt, makeFixture, Random, startHurt, startStore } from './damage.ts'

const SEED = Number(process.env['SEED'] ?? 1)
const COUNT = Number(process.env['COUNT'] ?? 60)

const folder = t.testdir()
const fixtures: Fixture[] = []
for (const rounds of [1, 3, 7]) {
  for (const isKilled of [false, true]) {
    fixtures.push(await makeFixture(folder, new Random(SEED + rounds), { rounds, isKilled }))
  }
}

t.test('stores that were not hurt have nothing to announce', async (t) => {
  for (const fixture of fixtures) {
    const outcome = await startHurt(copyOf(fixture, join(folder, 'copy')), fixture.model)
    t.same(outcome, { missing: 0, returned: 0, changed: 0, announced: 0, silent: [] })
  }
})

t.test(`stores that were hurt start and announce it (SEED=${SEED} COUNT=${COUNT})`, async (t) => {
  for (let seed = SEED; seed < SEED + COUNT; seed += 1) {
    const random = new Random(seed)
    const fixture = random.pick(fixtures)
    const path = copyOf(fixture, join(folder, 'copy'))
    const { file, how } = hurt(path, random)
    const { silent } = await startHurt(path, fixture.model)
    t.same(silent, [], `seed ${seed}: ${file} ${how}`)
    const { store } = await startStore(path)
    t.same(store.report.damages, [], `seed ${seed}: the next start finds nothing more`)
    await store.stop()
  }
})
