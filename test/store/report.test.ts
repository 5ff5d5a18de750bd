import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { Findings } from '../../src/store/report.ts'
import { KeptLog } from '../support/kept-log.ts'

t.test('a damage is listed and logged', async (t) => {
  const log = new KeptLog()
  const findings = new Findings({ log })
  findings.add({ kind: 'missing', table: 'box', count: 3, text: 'table box: 3 keys are missing' })
  t.match(findings.damages, [{ kind: 'missing', table: 'box', count: 3 }])
  t.match(log.lines, [{ level: 'error', fields: { kind: 'missing', table: 'box' } }])
})

t.test('a damaged pair that is read again and again is told once', async (t) => {
  const findings = new Findings({ log: new KeptLog() })
  for (let times = 0; times < 3; times += 1) findings.addPair('box/1', 'box')
  t.equal(findings.damages.length, 1)
})

t.test('the list ends at its bound, and the rest is counted', async (t) => {
  const findings = new Findings({ log: new KeptLog() })
  for (let at = 0; at <= LIMITS.damageListedMax; at += 1)
    findings.add({ kind: 'file', text: String(at) })
  t.equal(findings.damages.length, LIMITS.damageListedMax)
  t.equal(findings.unlisted, 1)
})
