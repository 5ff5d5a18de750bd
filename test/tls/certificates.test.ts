import { randomBytes, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { issue, makeAuthority } from '../../src/tls/authority.ts'
import { type CertificateOptions, Certificates } from '../../src/tls/certificates.ts'
import { KeptLog } from '../support/kept-log.ts'
import { ManualClock } from '../support/manual-clock.ts'

const MADE = /a certificate was made/

class Rig {
  readonly clock = new ManualClock()
  readonly log = new KeptLog()
  readonly folder: string
  ip = ['127.0.0.1']
  readonly made: Certificates

  constructor(
    t: Test,
    folder = join(t.testdir(), 'tls'),
    options: Partial<CertificateOptions> = {},
  ) {
    this.folder = folder
    const names = () => ({ dns: ['localhost'], ip: this.ip })
    const given = { certificate: undefined, key: undefined, ...options }
    this.made = new Certificates(
      { clock: this.clock, log: this.log, random: randomBytes, names },
      { folder, name: 'Waypost depot', ...given },
    )
    t.teardown(() => this.made.stop())
  }

  get timesMade(): number {
    return this.log.texts('info').filter((text) => MADE.test(text)).length
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8')
  }
}

t.test('the first start makes an authority and a certificate, for this user alone', async (t) => {
  const rig = new Rig(t)
  t.throws(() => rig.made.context, /not started/)
  await rig.made.start()
  t.ok(rig.made.context)
  t.equal(rig.made.authorityPath, join(rig.folder, 'ca.crt'))
  const mode = (name: string) => statSync(join(rig.folder, name)).mode & 0o777
  t.same(['', 'ca.pem', 'relay.pem', 'ca.crt'].map(mode), [0o700, 0o600, 0o600, 0o600])
  t.notMatch(rig.read('ca.crt'), /PRIVATE/)
  t.ok(new X509Certificate(rig.read('relay.pem')).checkIP('127.0.0.1'))
})

t.test('the next start uses what is there', async (t) => {
  const first = new Rig(t)
  await first.made.start()
  const before = first.read('relay.pem')
  const second = new Rig(t, first.folder)
  await second.made.start()
  t.equal(second.timesMade, 0)
  t.equal(second.read('relay.pem'), before)
})

t.test('a new address gets into the certificate, and the authority stays', async (t) => {
  const rig = new Rig(t)
  await rig.made.start()
  const authority = rig.read('ca.crt')
  const context = rig.made.context
  rig.clock.advance(LIMITS.certificateLookMs)
  t.equal(rig.clock.timers, 0, 'it looks')
  while (rig.clock.timers === 0) await new Promise(setImmediate)
  t.equal(rig.timesMade, 1, 'nothing has changed')
  rig.ip = ['127.0.0.1', '10.0.0.9']
  rig.clock.advance(LIMITS.certificateLookMs)
  while (rig.clock.timers === 0) await new Promise(setImmediate)
  t.equal(rig.timesMade, 2)
  t.not(rig.made.context, context)
  t.equal(rig.read('ca.crt'), authority)
  t.ok(new X509Certificate(rig.read('relay.pem')).checkIP('10.0.0.9'))
})

t.test('a stop ends the looks', async (t) => {
  const rig = new Rig(t)
  await rig.made.start()
  t.equal(rig.clock.timers, 1)
  rig.made.stop()
  t.equal(rig.clock.timers, 0)
})

for (const name of ['ca.pem', 'relay.pem']) {
  t.test(`a damaged ${name} is told and made anew`, async (t) => {
    const first = new Rig(t)
    await first.made.start()
    truncateSync(join(first.folder, name), 300)
    const second = new Rig(t, first.folder)
    await second.made.start()
    t.match(second.log.texts('warn'), [/damaged/])
    t.equal(second.timesMade, 1)
    t.ok(second.made.context)
  })
}

t.test('where nothing can be kept it serves all the same', async (t) => {
  const file = join(t.testdir({ file: '' }), 'file')
  const rig = new Rig(t, join(file, 'tls'))
  await rig.made.start()
  t.ok(rig.made.context)
  t.match(rig.log.texts('warn'), [/could not be kept/])
})

t.test('a certificate that the operator gives is used as it is', async (t) => {
  const folder = t.testdir()
  const authority = await makeAuthority({ random: randomBytes }, 'Team')
  const leaf = await issue({ random: randomBytes }, authority, { dns: ['depot'], ip: [] })
  const [certificate, key] = [join(folder, 'a.crt'), join(folder, 'a.key')]
  writeFileSync(certificate, leaf.certificate)
  writeFileSync(key, leaf.key)
  const rig = new Rig(t, join(folder, 'tls'), { certificate, key })
  await rig.made.start()
  t.ok(rig.made.context)
  t.equal(rig.made.authorityPath, undefined)
  t.notOk(existsSync(rig.folder))
  t.equal(rig.clock.timers, 0)
})

t.test('one that cannot be used stops the start and says why', async (t) => {
  const folder = t.testdir({ 'bad.pem': 'x' })
  const bad = join(folder, 'bad.pem')
  const cases = [
    [{ certificate: bad }, /tls\.certificate and tls\.key go together/],
    [{ key: bad }, /tls\.certificate and tls\.key go together/],
    [{ certificate: join(folder, 'none'), key: bad }, /^tls\.certificate: .*none.*PEM/],
    [{ certificate: bad, key: join(folder, 'none') }, /^tls\.key: .*none.*PEM/],
    [{ certificate: bad, key: bad }, /bad\.pem.* are no pair of PEM files: /],
  ] as const
  for (const [options, message] of cases) {
    const rig = new Rig(t, join(folder, 'tls'), options)
    await t.rejects(rig.made.start(), { code: 'CONFIG_INVALID', message })
  }
})
