import t from 'tap'
import { ERRORS, type ErrorFacts, RelayError } from '../src/errors.ts'

const CODES = Object.entries(ERRORS) as [keyof typeof ERRORS, ErrorFacts][]

t.test('an error has its code, its cause and what every edge makes of it', async (t) => {
  const cause = new Error('below')
  const error = new RelayError('MAILBOX_FULL', 'too much for bob', { cause })
  t.ok(error instanceof Error)
  t.equal(error.name, 'RelayError')
  t.equal(error.message, 'too much for bob')
  t.equal(error.cause, cause)
  t.equal(error.facts, ERRORS.MAILBOX_FULL)
})

t.test('codes stay what they are for programs outside', async (t) => {
  for (const [code, { mqtt, http, exit }] of CODES) {
    t.match(code, /^[A-Z]+(_[A-Z]+)*$/)
    t.ok(mqtt >= 0x80 && mqtt <= 0xa2, `${code}: an MQTT 5 reason code for a failure`)
    t.ok(http >= 400 && http < 600, `${code}: an HTTP status for a failure`)
    t.ok([1, 2, 69, 78].includes(exit), `${code}: an exit code of the contract`)
  }
})

t.test('a bound that was reached is quota exceeded, and worth another try', async (t) => {
  for (const [code, facts] of CODES) {
    if (code.endsWith('_FULL')) t.match(facts, { mqtt: 0x97, http: 507, canRetry: true }, code)
  }
})

t.test('the exit codes of the contract are those of the codes that mean them', async (t) => {
  t.equal(ERRORS.USAGE.exit, 2)
  t.equal(ERRORS.RELAY_UNREACHABLE.exit, 69)
  t.equal(ERRORS.CONFIG_INVALID.exit, 78)
})

t.test('what is the fault of a client does not alarm the operator', async (t) => {
  for (const [code, { fault, level }] of CODES) {
    if (fault === 'client') t.not(level, 'error', code)
  }
})
