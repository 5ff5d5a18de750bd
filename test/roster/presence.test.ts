import t from 'tap'
import { userId } from '../../src/message/names.ts'
import { maySeePresence, presencePayload } from '../../src/roster/presence.ts'

const alice = userId('alice')
const bob = userId('bob')

t.test('presence says whether, since when, and how sure that time is', async (t) => {
  const seen = { atMs: Date.UTC(2026, 0, 2, 3, 4, 5), clock: 'ntp' } as const
  t.equal(
    presencePayload(true, seen),
    '{"status":"online","lastSeen":"2026-01-02T03:04:05.000Z","clock":"ntp"}',
  )
  t.equal(
    presencePayload(false, seen),
    '{"status":"offline","lastSeen":"2026-01-02T03:04:05.000Z","clock":"ntp"}',
  )
  t.equal(presencePayload(false, undefined), '{"status":"offline","lastSeen":null,"clock":"none"}')
})

t.test('whom the user allows may see it, and the user and admins always', async (t) => {
  const nobody = new Set<typeof alice>()
  const viewer = { user: bob, isAdmin: false }
  const sees = (presence: 'everyone' | 'contacts' | 'nobody', contacts = nobody) =>
    maySeePresence({ id: alice, presence }, viewer, contacts)
  t.ok(sees('everyone'))
  t.notOk(sees('contacts'))
  t.ok(sees('contacts', new Set([bob])))
  t.notOk(sees('nobody'))
  t.notOk(sees('nobody', new Set([bob])))
  for (const presence of ['everyone', 'contacts', 'nobody'] as const) {
    t.ok(maySeePresence({ id: alice, presence }, { user: alice, isAdmin: false }, nobody))
    t.ok(maySeePresence({ id: alice, presence }, { user: bob, isAdmin: true }, nobody))
  }
})
