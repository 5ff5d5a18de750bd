import t from 'tap'
import { Acceptance, accepted } from '../../src/delivery/acceptance.ts'
import { RelayError } from '../../src/errors.ts'
import { Mailbox } from '../../src/mailbox/mailbox.ts'
import { messageId } from '../../src/message/names.ts'
import { alice, bob, Rig } from './rig.ts'

t.test('the store’s answer goes to the owner, with the acceptance', async (t) => {
  const { store } = await Rig.open(t)
  const mailbox = new Mailbox({ store }, { box: 'inbox', user: bob })
  const told: unknown[] = []
  const waiter = { accepted: () => told.push('accepted'), refused: () => told.push('refused') }
  const id = messageId('m')
  const at = { atMs: 0, clock: 'none' } as const
  const receipt = { id, from: alice, to: bob, status: 'stored', at } as const
  const acceptance: Acceptance = new Acceptance(
    {
      committed: (one) => told.push(one === acceptance && 'committed'),
      undone: (one, error) => told.push(one === acceptance && error.code),
    },
    {
      key: 'record/alice/bob/m',
      mailbox,
      mail: {
        seq: 1,
        item: { bytes: 0, deadlineMs: 1, from: alice, id, acks: [], received: [] },
        content: {
          kind: 'message',
          message: {
            id,
            from: alice,
            to: bob,
            accepted: at,
            expiresAfterS: 1,
            qos: 1,
            payload: Buffer.from(''),
          },
        },
      },
      stored: { receipt, seq: 2, isTakenBack: false },
      waiter,
    },
  )
  acceptance.committed()
  acceptance.refused(new RelayError('DISK_FULL', 'no room'))
  t.same(told, ['committed', 'DISK_FULL'])
  t.same(acceptance.waiters, [waiter])
})

t.test('everybody who waits is told', async (t) => {
  const told: number[] = []
  const waiter = (name: number) => ({ accepted: () => told.push(name), refused: t.fail })
  accepted([waiter(1), waiter(2)])
  t.same(told, [1, 2])
})
