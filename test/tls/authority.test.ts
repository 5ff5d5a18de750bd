import { randomBytes, X509Certificate } from 'node:crypto'
import t from 'tap'
import { issue, makeAuthority } from '../../src/tls/authority.ts'

const parts = { random: randomBytes }
const NAMES = { dns: ['localhost', 'depot'], ip: ['10.0.0.7', '::1'] }

t.test('a certificate is signed by its authority and carries the names', async (t) => {
  const authority = await makeAuthority(parts, `Waypost ${'d'.repeat(80)}`)
  const ca = new X509Certificate(authority.certificate)
  t.ok(ca.ca)
  t.ok(ca.verify(ca.publicKey))
  const { certificate, key } = await issue(parts, authority, NAMES)
  const leaf = new X509Certificate(certificate)
  t.notOk(leaf.ca)
  t.ok(leaf.verify(ca.publicKey))
  t.ok(leaf.checkIssued(ca))
  for (const name of NAMES.dns) t.equal(leaf.checkHost(name), name)
  for (const address of NAMES.ip) t.equal(leaf.checkIP(address), address)
  t.equal(leaf.checkHost('elsewhere'), undefined)
  t.match(key, /^-----BEGIN PRIVATE KEY-----/)
  t.equal(leaf.subject, 'CN=depot')
  t.same(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1'], 'for servers')
})

t.test('a board without a clock and one of the next century can use it', async (t) => {
  const { certificate } = await makeAuthority(parts, 'Waypost depot')
  const { validFromDate, validToDate } = new X509Certificate(certificate)
  t.equal(validFromDate.getTime(), 0)
  t.ok(validToDate.getUTCFullYear() === 9999)
})

t.test('no two have one serial number', async (t) => {
  const authority = await makeAuthority(parts, 'Waypost depot')
  const serials = new Set<string>()
  for (let made = 0; made < 5; made += 1) {
    const { certificate } = await issue(parts, authority, NAMES)
    const { serialNumber } = new X509Certificate(certificate)
    serials.add(serialNumber)
    t.equal(serialNumber.length, 30)
  }
  t.equal(serials.size, 5)
})
