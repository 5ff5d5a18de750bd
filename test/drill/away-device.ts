/** A device of the recipient who is away: MQTT 3.1.1, a session that is kept, and a note of all that comes. */
import { keyOf, RECIPIENT } from './away-cast.ts'
import { AwayClient } from './away-client.ts'
import type { Ledger } from './ledger.ts'
import { payloadOf, readTopic } from './mail.ts'

export function awayDevice(
  parts: { ledger: Ledger },
  options: { readonly clientId: string; readonly password: string },
): AwayClient {
  const client = new AwayClient({ user: RECIPIENT, version: 4, ...options })
  const key = keyOf(options.clientId)
  client.mqtt.on('message', (topic, payload) => {
    const mail = readTopic(topic)
    if (mail === undefined) parts.ledger.odd(`${key} got ${topic}`)
    else {
      const isIntact = mail.to === RECIPIENT && payload.equals(payloadOf(topic))
      const { connection } = client
      parts.ledger.arrive(key, { ...mail, connection, isIntact, isOnce: false })
    }
  })
  return client
}
