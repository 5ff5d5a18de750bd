import t from 'tap'
import { readAddress } from './relay-process.ts'
import { ServerProcess } from './server-process.ts'

const node = (script: string) =>
  new ServerProcess({
    command: process.execPath,
    args: ['-e', script],
    ready: (output) => /port (\d+)/.exec(output)?.[1],
    readyMsMax: 10_000,
  })

t.test('a server is ready when it says so, and gone after a kill', async (t) => {
  const server = node('setInterval(() => 0, 1000); console.log("port 17")')
  t.equal(await server.start(), '17')
  const { pid } = server
  await server.kill()
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  await server.kill()
  t.throws(() => server.pid)
})

t.test('a server that ends before it is ready tells what it said', async (t) => {
  await t.rejects(node('console.error("the store is damaged"); process.exit(3)').start(), {
    message: /ended with 3: the store is damaged/,
  })
})

t.test('a server that never becomes ready is given up', async (t) => {
  const server = new ServerProcess({
    command: process.execPath,
    args: ['-e', 'setInterval(() => 0, 1000)'],
    ready: () => undefined,
    readyMsMax: 1,
  })
  await t.rejects(server.start())
  await server.stop()
})

t.test("the relay's address stands in its output once it is listening", async (t) => {
  t.equal(readAddress('starting mqtt://127.0.0.1:1'), undefined)
  t.equal(readAddress('listening'), undefined)
  t.same(readAddress('listening\n  mqtt://127.0.0.1:4711\n  http://127.0.0.1:8'), {
    host: '127.0.0.1',
    port: 4711,
  })
})
