import t from 'tap'
import { crc32c, maskedCrc32c, unmask } from '../../src/store/crc32c.ts'

function sum(bytes: Uint8Array): number {
  return crc32c(bytes, 0, bytes.length) >>> 0
}

t.test('it gives the values of RFC 3720, B.4', async (t) => {
  t.equal(sum(Buffer.alloc(32)), 0x8a9136aa)
  t.equal(sum(Buffer.alloc(32, 0xff)), 0x62a8ab43)
  t.equal(sum(Buffer.from(Array.from({ length: 32 }, (_, at) => at))), 0x46dd794e)
  t.equal(sum(Buffer.from('123456789')), 0xe3069283)
})

t.test('it can go on from where it was', async (t) => {
  const bytes = Buffer.from('a sum that is made in two parts')
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    t.equal(crc32c(bytes, cut, bytes.length, crc32c(bytes, 0, cut)) >>> 0, sum(bytes))
  }
})

t.test('the stored form can be turned back', async (t) => {
  for (const text of ['', 'a', 'some bytes']) {
    const bytes = Buffer.from(text)
    t.equal(unmask(maskedCrc32c(bytes, 0, bytes.length)), crc32c(bytes, 0, bytes.length))
  }
})
