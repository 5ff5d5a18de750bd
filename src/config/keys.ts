/**
 * The one table of configuration keys. Files, environment variables, flags, help texts and the
 * typed configuration all follow from it.
 */
import Type, { type Static } from 'typebox'
import { LIMITS } from '../limits.ts'
import { isFilter } from '../message/topic.ts'
import { choice, count, duration, type Key, key, port, size, text, truth } from './key.ts'
import { durationText, sizeText } from './quantity.ts'

const HOST = '^[A-Za-z0-9.:_-]{1,253}$'
const LABEL = '^[^\\p{Cc}\\p{Cf}]{1,63}$'
const PATH = '^[^\\u0000-\\u001f\\u007f]{1,1024}$'
const URL = '^(none|[a-z][a-z0-9+.-]{0,30}://[^\\s]{1,2000})$'
const WHO = '^(\\*|(thing:)?[a-z0-9][a-z0-9._-]{0,63})$'
const TOPIC_CHARS_MAX = 65_535
const SIZE_BYTES_MAX = 1_024 * 2 ** 40

const RULE = Type.Object(
  {
    who: Type.String({ pattern: WHO, description: 'a user id, thing:ID, anonymous or *' }),
    topics: Type.Refine(
      Type.String({ maxLength: TOPIC_CHARS_MAX, description: 'a topic filter' }),
      isFilter,
    ),
    actions: Type.Array(Type.Enum(['publish', 'subscribe']), {
      minItems: 1,
      maxItems: 2,
      description: 'a list of publish, subscribe or both',
    }),
    effect: Type.Enum(['allow', 'deny'], { description: 'allow or deny' }),
  },
  {
    additionalProperties: false,
    description: 'only who, topics, actions and effect',
  },
)

/** Opens or closes topics outside the name spaces of the contract; the first match wins. */
export type AccessRule = Static<typeof RULE>

export const KEYS = {
  data_dir: text('./data', PATH, 'a directory', 'Where users and mail are kept'),
  'mqtt.host': text('0.0.0.0', HOST, 'an address or host name', 'Address that MQTT listens on'),
  'mqtt.port': port(1883, 'Port of MQTT over TCP'),
  'mqtt.tls_port': port(8883, 'Port of MQTT over TLS'),
  'tls.certificate': text(
    'none',
    PATH,
    'a PEM file, or none',
    'Certificate for TLS; none: its own',
  ),
  'tls.key': text('none', PATH, 'a PEM file, or none', 'Private key of that certificate'),
  'http.host': text('0.0.0.0', HOST, 'an address or host name', 'Address that HTTP listens on'),
  'http.port': port(8080, 'Port of HTTP, and of MQTT over WebSocket at /mqtt'),
  'relay.name': text('host name', LABEL, '1 to 63 printable characters', 'Name that people see'),
  'relay.role': choice(['edge', 'cloud'], 'What this relay is in its mesh'),
  'mesh.enabled': truth(true, 'Whether to look for other relays on the LAN'),
  'mesh.port': port(8884, 'Port for links from other relays'),
  'cloud.url': text('none', URL, 'a URL, or none', 'Cloud relay that takes what is left'),
  'access.anonymous': truth(false, 'Whether a client without user name may connect'),
  'access.rules': key(
    Type.Array(RULE, { maxItems: LIMITS.accessRulesMax }),
    [],
    `a list of at most ${LIMITS.accessRulesMax} rules {who, topics, actions, effect}`,
    'Who may use topics outside the name spaces; the first match wins',
  ),
  'messages.expires_after': duration(
    durationText(LIMITS.expiresAfterSMax),
    [],
    'How long a message waits for its recipient',
  ),
  'messages.payload_bytes_max': size(
    sizeText(LIMITS.payloadBytesMax),
    LIMITS.packetBytesMax,
    [],
    'Largest payload of a message',
  ),
  'messages.listed_for': duration(
    '7d',
    ['0', 'forever'],
    'How long a delivered message stays listed',
  ),
  'messages.retention': choice(
    ['delivered', 'forever'],
    'Whether payloads leave once delivered, or stay as a history',
  ),
  'quota.mailbox_messages': count(LIMITS.mailboxMessagesMax, 'Messages in one mailbox'),
  'quota.mailbox_bytes': size(
    sizeText(LIMITS.mailboxBytesMax),
    SIZE_BYTES_MAX,
    [],
    'Bytes in one mailbox',
  ),
  'quota.sender_messages': count(LIMITS.senderMessagesMax, 'Undelivered messages of one sender'),
  'quota.disk_bytes': size('none', SIZE_BYTES_MAX, ['none'], 'Bytes on disk; none: what is free'),
  'log.level': choice(['info', 'debug', 'warn', 'error'], 'Least important lines that are logged'),
  'log.format': choice(['text', 'json'], 'How log lines look'),
} as const satisfies Record<string, Key>

export type KeyPath = keyof typeof KEYS

/** What each key holds once it is checked, as written: `30d`, not seconds. */
export type Values = { readonly [Path in KeyPath]: Static<(typeof KEYS)[Path]['schema']> }

/** All keys, in the order of the table. */
export const KEY_PATHS = Object.keys(KEYS) as KeyPath[]

export function isKeyPath(path: string): path is KeyPath {
  return Object.hasOwn(KEYS, path)
}

/** `mqtt.tls_port` is `WAYPOST_MQTT_TLS_PORT`. */
export function variableOf(path: KeyPath): string {
  return `WAYPOST_${path.replaceAll('.', '_').toUpperCase()}`
}

/** `mqtt.tls_port` is the flag `mqtt-tls-port` (without its dashes). */
export function flagOf(path: KeyPath): string {
  return path.replaceAll(/[._]/g, '-')
}
