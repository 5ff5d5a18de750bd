import type { NetworkInterfaceInfo } from 'node:os'
import t from 'tap'
import { LIMITS } from '../../src/limits.ts'
import { namesOf } from '../../src/tls/names.ts'

const at = (address: string) => ({ address }) as NetworkInterfaceInfo

t.test('a relay has the names of its host and all its addresses', async (t) => {
  const interfaces = {
    lo: [at('127.0.0.1'), at('::1')],
    wlan0: [at('10.0.0.7'), at('fd00::7'), at('fe80::1')],
    none: undefined,
  }
  t.same(namesOf('depot', interfaces), {
    dns: ['localhost', 'depot', 'depot.local'],
    ip: ['127.0.0.1', '::1', '10.0.0.7', 'fd00::7'],
  })
  t.same(namesOf('depot.example.org', {}).dns, ['localhost', 'depot.example.org'])
  t.same(namesOf('what a name', {}).dns, ['localhost'], 'what no certificate can hold is left out')
})

t.test('names and addresses are bounded', async (t) => {
  const room = LIMITS.certificateNamesMax - 5
  const many = (count: number) => ({
    eth0: Array.from({ length: count }, (_, n) => at(`10.0.1.${n}`)),
  })
  const size = (count: number) => {
    const { dns, ip } = namesOf('depot', many(count))
    return dns.length + ip.length
  }
  t.equal(size(room), LIMITS.certificateNamesMax)
  t.equal(size(room + 1), LIMITS.certificateNamesMax)
})
