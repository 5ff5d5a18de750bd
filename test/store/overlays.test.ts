import t from 'tap'
import { Overlays } from '../../src/store/overlays.ts'
import { bytes, text } from './rig.ts'

function shown(value: Buffer | null | undefined): string | null | undefined {
  return value === null ? null : text(value)
}

t.test('the newest write is seen, in flight or gathering', async (t) => {
  const overlays = new Overlays()
  overlays.gathering.insert('a/1', bytes('one'), 'plain')
  overlays.launch()
  t.equal(shown(overlays.pending('a/1')), 'one')
  overlays.gathering.remove('a/1')
  t.equal(overlays.pending('a/1'), null)
  t.equal(overlays.pending('a/2'), undefined)
  t.equal(overlays.pendingWrites, 2)
})

t.test('what has landed is no longer pending, except for a read that began before', async (t) => {
  const overlays = new Overlays()
  const reader = overlays.enter()
  overlays.gathering.remove('a/1')
  overlays.launch()
  overlays.land()
  overlays.gathering.replace('a/2', bytes('two'))
  overlays.launch()
  overlays.land()
  t.equal(overlays.pending('a/1'), undefined)
  t.equal(overlays.pendingFor(reader, 'a/1'), null)
  t.equal(shown(overlays.pendingFor(reader, 'a/2')), 'two')
  t.equal(overlays.pendingFor(overlays.enter(), 'a/1'), undefined)
})

t.test('of several commits during a read the newest counts', async (t) => {
  const overlays = new Overlays()
  const reader = overlays.enter()
  for (const value of ['one', 'two']) {
    overlays.gathering.replace('a/1', bytes(value))
    overlays.launch()
    overlays.land()
  }
  t.equal(shown(overlays.pendingFor(reader, 'a/1')), 'two')
})

t.test('a batch that falls back is gathered again before what came since', async (t) => {
  const overlays = new Overlays()
  overlays.gathering.replace('a/1', bytes('one'))
  overlays.gathering.replace('a/2', bytes('two'))
  overlays.launch()
  overlays.gathering.replace('a/1', bytes('newer'))
  overlays.fallBack()
  t.equal(overlays.inFlight, undefined)
  t.equal(shown(overlays.pending('a/1')), 'newer')
  t.equal(shown(overlays.pending('a/2')), 'two')
})
