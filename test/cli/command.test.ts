import t from 'tap'
import { argument, type Call } from '../../src/cli/command.ts'

t.test('an argument is found by its name', async (t) => {
  const call = { args: new Map([['NAME', 'bob']]) } as unknown as Call
  t.equal(argument(call, 'NAME'), 'bob')
  t.equal(argument(call, 'OTHER'), '')
})
