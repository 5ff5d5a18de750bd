/** A relay for clients to meet on: two people, and topics below `lab/` that are open to both. */
import type { Test } from 'tap'
import { startRelay, type TestRelay } from '../support/relay.ts'

export type Person = { readonly name: string; readonly password: string }
export type Lab = { readonly relay: TestRelay; readonly alice: Person; readonly bob: Person }

export async function startLab(t: Test): Promise<Lab> {
  const relay = await startRelay(t, {
    rules: [{ who: '*', topics: 'lab/#', actions: ['publish', 'subscribe'], effect: 'allow' }],
  })
  const passwords = await relay.addUsers('alice', 'bob')
  return {
    relay,
    alice: { name: 'alice', password: passwords.alice },
    bob: { name: 'bob', password: passwords.bob },
  }
}
