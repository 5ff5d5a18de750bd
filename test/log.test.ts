import t from 'tap'
import { RelayError } from '../src/errors.ts'
import { LIMITS } from '../src/limits.ts'
import { createLog, type LogOptions } from '../src/log.ts'

function logger(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) }
  const log = createLog({
    level: 'info',
    format: 'text',
    stream,
    isUnderJournald: false,
    ...options,
  })
  return { log, lines }
}

t.test('a text line has a time, a level, a sentence and its fields', async (t) => {
  const { log, lines } = logger()
  log.info({ user: 'bob', device: 'bob phone', count: 3 }, 'client connected')
  t.match(
    lines[0],
    /^\d{4}-\d\d-\d\dT[\d:.]+Z info {2}client connected user=bob device="bob phone" count=3\n$/,
  )
})

t.test('under journald a line begins with its priority and has no time', async (t) => {
  const { log, lines } = logger({ isUnderJournald: true, level: 'debug' })
  log.debug({}, 'a')
  log.info({}, 'b')
  log.warn({}, 'c')
  log.error({}, 'd')
  t.same(lines, ['<7>a\n', '<6>b\n', '<4>c\n', '<3>d\n'])
})

t.test('what is below the level is not written', async (t) => {
  const { log, lines } = logger({ level: 'warn' })
  log.debug({}, 'a')
  log.info({}, 'b')
  log.warn({}, 'c')
  t.equal(lines.length, 1)
})

t.test('JSON lines are one object each', async (t) => {
  const { log, lines } = logger({ format: 'json' })
  log.warn({ user: 'bob' }, 'mailbox full')
  t.match(JSON.parse(lines[0] ?? ''), { level: 'warn', msg: 'mailbox full', user: 'bob' })
})

t.test('fields from outside cannot break out of their line, in either format', async (t) => {
  for (const format of ['text', 'json'] as const) {
    const { log, lines } = logger({ format })
    log.info({ device: 'a\n<0>fake level=error\u001b[2J\u202E\u0085' }, 'seen\nagain')
    t.equal(lines.length, 1)
    t.match(lines[0], /^[^\n\p{Cf}\p{Cc}]+\n$/u)
  }
})

t.test('a field with a blank or an equals sign is quoted', async (t) => {
  const { log, lines } = logger({ isUnderJournald: true })
  log.info({ device: 'x user=admin' }, 'seen')
  t.equal(lines[0], '<6>seen device="x user=admin"\n')
})

t.test('a line as long as allowed stays whole, a longer one is cut', async (t) => {
  const room = LIMITS.logLineCharsMax - '<6>a x='.length
  const { log, lines } = logger({ isUnderJournald: true })
  log.info({ x: 'y'.repeat(room) }, 'a')
  log.info({ x: 'y'.repeat(room + 1) }, 'a')
  t.match(lines[0], /y\n$/)
  t.match(lines[1], /y…\n$/)
  t.equal(lines[1]?.length, LIMITS.logLineCharsMax + 2)
})

t.test('a JSON record that is too long keeps its head and stays JSON', async (t) => {
  const { log, lines } = logger({ format: 'json' })
  log.info({ x: 'y'.repeat(LIMITS.logLineCharsMax) }, 'a'.repeat(LIMITS.logLineCharsMax))
  const record: unknown = JSON.parse(lines[0] ?? '')
  t.match(record, { level: 'info', isCut: true })
  t.ok((lines[0]?.length ?? 0) <= LIMITS.logLineCharsMax)
})

t.test('an expected error is its code and words, any other brings its stack', async (t) => {
  const { log, lines } = logger({ format: 'json' })
  log.error({ error: new RelayError('DISK_FULL', 'no room') }, 'a')
  log.error({ error: new TypeError('oops') }, 'b')
  log.error({ error: 'odd' }, 'c')
  const records = lines.map((line): unknown => JSON.parse(line))
  t.same((records[0] as { error: unknown }).error, { code: 'DISK_FULL', message: 'no room' })
  t.match(records[1], { error: { message: 'oops', stack: /TypeError: oops/ } })
  t.match(records[2], { error: 'odd' })
})
