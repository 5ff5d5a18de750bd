/**
 * The packets that the load client sends, encoded once and whole. Only what the drills and
 * benches need of MQTT 3.1.1 and 5: no wills, no topic aliases.
 */

/** Protocol level as it stands in CONNECT. */
export type MqttVersion = 4 | 5

export type ConnectOptions = {
  readonly version: MqttVersion
  readonly clientId: string
  readonly username?: string
  readonly password?: string
  /** Clean session (3.1.1) or clean start with an expiry of zero (5). */
  readonly clean: boolean
}

export const PUBACK = 0x40
export const PUBREC = 0x50
export const PUBREL = 0x62
export const PUBCOMP = 0x70
export const SUBSCRIBE = 0x82
export const PINGREQ = Buffer.from([0xc0, 0])
export const DISCONNECT = Buffer.from([0xe0, 0])

const FLAG_CLEAN = 0x02
const FLAG_DUP = 0x08
const FLAG_PASSWORD = 0x40
const FLAG_USERNAME = 0x80
/** A session that the broker keeps until the client ends it. */
const SESSION_EXPIRY_NEVER = Buffer.from([5, 0x11, 0xff, 0xff, 0xff, 0xff])
const NO_PROPERTIES = Buffer.from([0])
const NOTHING = Buffer.alloc(0)

/** MQTT's variable byte integer. */
export function encodeLength(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? low | 0x80 : low)
  } while (rest > 0)
  return Buffer.from(bytes)
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([first]), encodeLength(body.length), body])
}

/** CONNECT without keep alive: a bench may be silent for as long as it likes. */
export function encodeConnect(options: ConnectOptions): Buffer {
  const { version, clientId, username, password, clean } = options
  let flags = clean ? FLAG_CLEAN : 0
  if (username !== undefined) flags |= FLAG_USERNAME
  if (password !== undefined) flags |= FLAG_PASSWORD
  const properties = clean ? NO_PROPERTIES : SESSION_EXPIRY_NEVER
  return packet(
    0x10,
    encodeString('MQTT'),
    Buffer.from([version, flags, 0, 0]),
    version === 5 ? properties : NOTHING,
    encodeString(clientId),
    username === undefined ? NOTHING : encodeString(username),
    password === undefined ? NOTHING : encodeString(password),
  )
}

/** SUBSCRIBE to one filter. */
export function encodeSubscribe(
  version: MqttVersion,
  packetId: number,
  filter: string,
  qos: 0 | 1 | 2,
): Buffer {
  return packet(
    SUBSCRIBE,
    Buffer.from([packetId >> 8, packetId & 0xff]),
    version === 5 ? NO_PROPERTIES : NOTHING,
    encodeString(filter),
    Buffer.from([qos]),
  )
}

/** A PUBLISH, and where in it a sender may write anew without encoding again. */
export type PublishTemplate = {
  readonly frame: Buffer
  readonly topicAt: number
  readonly packetIdAt: number
  readonly payloadAt: number
}

/** PUBLISH of QoS 1 or 2 as a template: topic, packet id and payload can be overwritten in place. */
export function publishTemplate(
  version: MqttVersion,
  topic: string,
  payload: Buffer,
  qos: 1 | 2 = 1,
): PublishTemplate {
  const topicBytes = Buffer.byteLength(topic)
  const properties = version === 5 ? NO_PROPERTIES : NOTHING
  const frame = packet(0x30 | (qos << 1), encodeString(topic), Buffer.alloc(2), properties, payload)
  const payloadAt = frame.length - payload.length
  const packetIdAt = payloadAt - properties.length - 2
  return { frame, topicAt: packetIdAt - topicBytes, packetIdAt, payloadAt }
}

/** Writes `packetId` into a frame of `publishTemplate`, and DUP where it is sent again. */
export function stamp(template: PublishTemplate, packetId: number, isAgain: boolean): void {
  const first = (template.frame[0] ?? 0) & ~FLAG_DUP
  template.frame[0] = isAgain ? first | FLAG_DUP : first
  template.frame.writeUInt16BE(packetId, template.packetIdAt)
}
