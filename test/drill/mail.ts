/** The messages of a drill: topic and bytes follow from sender, recipient and running number. */
import { SeededRandom } from '../load/random.ts'

const PAYLOAD_BYTES = 200
const SEQ_DIGITS = 7

export function topicOf(from: string, to: string, seq: number): string {
  return `users/${to}/inbox/${from}/${from}-${String(seq).padStart(SEQ_DIGITS, '0')}`
}

/** 200 bytes that can be made again by whoever knows the topic, and compress badly. */
export function payloadOf(topic: string): Buffer {
  let seed = 0
  for (let at = 0; at < topic.length; at++)
    seed = (Math.imul(seed, 31) + topic.charCodeAt(at)) >>> 0
  return new SeededRandom(seed).bytes(PAYLOAD_BYTES)
}

/** Sender and running number out of the topic of a message; nothing where it is none. */
export function readTopic(
  topic: string,
): { readonly from: string; readonly to: string; readonly seq: number } | undefined {
  const [users, to = '', inbox, from = '', id = ''] = topic.split('/')
  const seq = Number(id.slice(from.length + 1))
  if (users !== 'users' || inbox !== 'inbox' || topicOf(from, to, seq) !== topic) return undefined
  return { from, to, seq }
}

/** What a receipt tells; nothing where topic or payload is no receipt of a drill's message. */
export function readReceipt(
  topic: string,
  payload: string,
):
  | { readonly to: string; readonly seq: number; readonly status: string; isAggregate: boolean }
  | undefined {
  const [users, from = '', receipts, to = '', id = ''] = topic.split('/')
  const seq = Number(id.slice(from.length + 1))
  if (users !== 'users' || receipts !== 'receipts' || !Number.isInteger(seq)) return undefined
  const body = parseJson(payload)
  const status = body?.['status']
  if (typeof status !== 'string') return undefined
  return { to, seq, status, isAggregate: body?.['device'] === undefined }
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
