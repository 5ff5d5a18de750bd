import t from 'tap'
import { ControlServer } from '../../src/control/server.ts'
import { RelayError } from '../../src/errors.ts'
import { notedLog, stillClock } from '../control/rig.ts'
import { rig } from './rig.ts'

t.test('a running relay is asked, and the store left alone', async (t) => {
  const dataDir = t.testdir()
  const asked: unknown[] = []
  const operations = {
    async perform(name: string, input: unknown) {
      asked.push([name, input])
      return { id: 'bob' }
    },
  }
  const server = new ControlServer(
    { operations, log: notedLog().log, clock: stillClock().clock },
    { dataDir },
  )
  await server.start()
  const { type, told } = rig()
  t.equal(await type(['user', 'remove', 'bob', '--data-dir', dataDir]), 0)
  t.same(asked, [['user.remove', { id: 'bob' }]])
  t.equal(told.opened, 0)
  t.equal(told.err, '')
  await server.stop()
})

t.test('where no relay runs, the store is opened, used and closed', async (t) => {
  const { type, told } = rig()
  t.equal(await type('user add bob'), 0)
  t.match(told.err, /no relay runs on \/nowhere\/data/)
  t.same([told.opened, told.closed], [1, 1])
})

t.test('the store is closed after a refusal too', async (t) => {
  const { type, told } = rig()
  t.equal(await type('user show bob'), 1)
  t.same([told.opened, told.closed], [1, 1])
})

t.test('a store that cannot be opened is told', async (t) => {
  const { type, told } = rig({
    loadRelay: () => Promise.reject(new RelayError('STORE_LOCKED', 'the store is in use')),
  })
  t.equal(await type('user list'), 1)
  t.match(told.err, /\nwaypost: the store is in use\n$/)
})

t.test('a relay that breaks off is not asked a second time on the store', async (t) => {
  const dataDir = t.testdir()
  const gate = Promise.withResolvers<undefined>()
  const asked = Promise.withResolvers<void>()
  const operations = {
    perform() {
      asked.resolve()
      return gate.promise
    },
  }
  const { clock } = stillClock()
  const server = new ControlServer({ operations, log: notedLog().log, clock }, { dataDir })
  await server.start()
  const { type, told, tick } = rig()
  const end = type(['user', 'remove', 'bob', '--data-dir', dataDir])
  await asked.promise
  tick()
  t.equal(await end, 69)
  t.equal(told.opened, 0)
  gate.resolve(undefined)
  await server.stop()
})
