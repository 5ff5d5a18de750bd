import t from 'tap'
import { type Will, Wills } from '../../../src/broker/ordinary/wills.ts'
import { freshStore } from './rig.ts'

const will = (topic: string): Will => ({
  topic,
  payload: Buffer.from('gone'),
  qos: 1,
  isRetained: true,
  properties: { contentType: 'text/plain', messageExpiryInterval: 9, userProperties: [['a', 'b']] },
  delayS: 5,
})

async function allOf(wills: Wills): Promise<[string, Will][]> {
  const all: [string, Will][] = []
  for await (const [id, found] of wills.all()) {
    all.push([id, { ...found, payload: Buffer.from(found.payload) }])
  }
  return all
}

t.test('a will is there until it is deleted, over several pages, and as it was', async (t) => {
  const store = await freshStore(t)
  const wills = new Wills({ store }, { readAheadMax: 2 })
  const names = ['bob', 'constructor', '__proto__', 'a/b', 'e']
  for (const name of names) wills.set(name, will('first'))
  for (const name of names) wills.set(name, will(`w/${name}`))
  t.same(
    await allOf(wills),
    names.map((name) => [name, will(`w/${name}`)]),
  )
  wills.delete('bob')
  wills.delete('nobody')
  t.equal(wills.size, 4)
  t.same([...wills.clientIds()], names.slice(1))
})

t.test('a start takes the sessions from the keys; a damaged will is left out', async (t) => {
  const store = await freshStore(t)
  new Wills({ store }, { readAheadMax: 2 }).set('bob', will('w'))
  const wills = new Wills({ store }, { readAheadMax: 2 })
  wills.visit('will/bob')
  wills.visit('will/lost')
  t.same(await allOf(wills), [['bob', will('w')]])
})
