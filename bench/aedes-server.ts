/**
 * Stock aedes as a program: TCP, its own persistence in memory, its own defaults, anybody may
 * connect. Prints the port that it got; run by aedes-process.ts.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Aedes } from 'aedes'

const broker = await Aedes.createBroker()
const server = createServer({ noDelay: true }, broker.handle)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`)
