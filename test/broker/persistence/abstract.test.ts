/** The suite that aedes-persistence publishes for implementations, run on ours. */
import assert from 'node:assert'
import { createRequire } from 'node:module'
import t from 'tap'
import { Rig } from './rig.ts'

/** What the suite uses of a test of node:test. */
type Context = { plan(count: number): void; diagnostic(): void; assert: object }

type Suite = (options: {
  testAsync: true
  test(name: string, run: (context: Context) => Promise<void>): void
  persistence(): Promise<unknown>
}) => void

const suite: Suite = createRequire(import.meta.url)('aedes-persistence/abstract.js')

let newRig = () => Rig.open(t)

suite({
  testAsync: true,
  persistence: async () => (await newRig()).persistence,
  test(name, run) {
    t.test(name, async (t) => {
      newRig = () => Rig.open(t)
      let planned: number | undefined
      let made = 0
      const counted = new Proxy(assert, {
        get(target, method: keyof typeof assert) {
          made += 1
          return target[method]
        },
      })
      const plan = (count: number) => {
        planned = count
      }
      await run({ plan, diagnostic: () => undefined, assert: counted })
      t.equal(made, planned ?? made, 'as many assertions as planned')
    })
  },
})
