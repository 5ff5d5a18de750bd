/** Single packets out of the store. */
import { RelayError } from '../../errors.ts'
import type { Store } from '../../store/store.ts'
import { decodePacket, type Packet } from './packet.ts'

/**
 * The packet of a key; `undefined` where there is none, or where its value is damaged: the store
 * has reported that, and a client has to get on with what is left.
 */
export function readPacket(store: Store, key: string): Packet | undefined {
  try {
    const value = store.get(key)
    return value && decodePacket(value)
  } catch (error) {
    if (error instanceof RelayError && error.code === 'STORE_DAMAGED') return undefined
    throw error
  }
}
