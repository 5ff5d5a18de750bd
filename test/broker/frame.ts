/** Packets as the framer hands them on. */
import { type Frame, Framer } from '../../src/broker/framer.ts'
import { variable } from '../../src/broker/variable.ts'

/** The first packet in these bytes. */
export function frameOf(bytes: Buffer): Frame {
  const framer = new Framer(Number.POSITIVE_INFINITY)
  framer.push(bytes)
  const frame = framer.next()
  if (frame === undefined) throw new Error('no whole packet')
  return frame
}

/** A packet of this first byte and body, well formed or not. */
export function packetOf(first: number, ...body: (number | string | Buffer)[]): Frame {
  const parts = body.map((part) =>
    typeof part === 'number' ? Buffer.from([part]) : prefixed(part),
  )
  const bytes = Buffer.concat(parts)
  return frameOf(Buffer.concat([Buffer.from([first]), variable(bytes.length), bytes]))
}

function prefixed(part: string | Buffer): Buffer {
  const bytes = Buffer.from(part)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}
