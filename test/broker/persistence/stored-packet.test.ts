import t from 'tap'
import { encodePacket } from '../../../src/broker/persistence/packet.ts'
import { readPacket } from '../../../src/broker/persistence/stored-packet.ts'
import { type ErrorCode, RelayError } from '../../../src/errors.ts'
import type { Store } from '../../../src/store/store.ts'
import { freshStore } from './rig.ts'

function failing(code: ErrorCode): Store {
  const get = () => {
    throw new RelayError(code, 'the disk says no')
  }
  return { get } as unknown as Store
}

t.test('a packet is read, or is not there', async (t) => {
  const store = await freshStore(t)
  store.insert('will/bob', encodePacket({ topic: 'w' }))
  t.same(readPacket(store, 'will/bob'), { topic: 'w' })
  t.equal(readPacket(store, 'will/bobby'), undefined)
})

t.test('a damaged packet is as one that is not there', async (t) => {
  t.equal(readPacket(failing('STORE_DAMAGED'), 'will/bob'), undefined)
})

t.test('a store that cannot be read is told', async (t) => {
  t.throws(() => readPacket(failing('STORE_FAILED'), 'will/bob'), { code: 'STORE_FAILED' })
})
