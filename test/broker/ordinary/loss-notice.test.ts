import t from 'tap'
import { LossNotice } from '../../../src/broker/ordinary/loss-notice.ts'
import { KeptLog } from '../../support/kept-log.ts'
import { ManualClock } from '../../support/manual-clock.ts'

t.test('the first loss is told at once, the others a minute later in one line', async (t) => {
  const clock = new ManualClock()
  const log = new KeptLog()
  const notice = new LossNotice({ clock, log }, { text: 'dropped' })
  for (let i = 0; i < 5; i += 1) notice.count()
  t.equal(notice.total, 5)
  t.match(log.lines, [{ fields: { count: 1, total: 1 }, text: 'dropped' }])
  clock.advance(59_999)
  t.equal(log.lines.length, 1)
  clock.advance(1)
  t.match(log.lines[1], { fields: { count: 4, total: 5 }, text: 'dropped' })
  clock.advance(60_000)
  t.equal(log.lines.length, 2)
  notice.count()
  t.match(log.lines[2], { fields: { count: 1, total: 6 }, text: 'dropped' })
})
