/** `npm run bench -- NAME`: what Waypost costs, and what others do in the same run. */
import { durable } from './durable.ts'
import { front } from './front.ts'
import { wear } from './wear.ts'

const BENCHES: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  durable,
  front,
  wear,
}

const HELP = `Usage: npm run bench -- NAME [--help]

  durable   acknowledged messages a second, each one fsynced, beside Mosquitto
  front     the cost of each packet beside mqtt-packet; messages a second beside aedes and Mosquitto
  wear      bytes written to the disk for each delivered message
`

const [name = '', ...args] = process.argv.slice(2)
const bench = BENCHES[name]
if (bench === undefined) {
  process.stderr.write(HELP)
  process.exitCode = 2
} else {
  await bench(args).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
}
