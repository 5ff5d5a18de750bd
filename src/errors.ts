/**
 * The closed table of everything that can go wrong in a way somebody has to be told about:
 * what a client sees, how it is logged, whose fault it is, and whether another try can help.
 * What cannot happen is an `assert`, not a code.
 */

/** How a code shows at each edge of the relay. */
export type ErrorFacts = {
  /** MQTT 5 reason code (a 3.1.1 client is told by a `refused` receipt instead). */
  readonly mqtt: number
  /** HTTP status of the problem document. */
  readonly http: number
  /** Exit code of the command line. */
  readonly exit: number
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fault: 'client' | 'operator' | 'relay' | 'disk'
  /** Whether the same request may succeed later without anybody changing it. */
  readonly canRetry: boolean
}

const client = (mqtt: number, http: number): ErrorFacts => ({
  mqtt,
  http,
  exit: 1,
  level: 'info',
  fault: 'client',
  canRetry: false,
})

const full = (fault: ErrorFacts['fault']): ErrorFacts => ({
  mqtt: 0x97,
  http: 507,
  exit: 1,
  level: 'warn',
  fault,
  canRetry: true,
})

/** Every code, in alphabetical order within its group. */
export const ERRORS = {
  // A request that asks for what is not allowed, or not there.
  AUTH_METHOD: client(0x8c, 400),
  BAD_ENTRY: client(0x81, 400),
  BAD_NAME: client(0x85, 400),
  BAD_PACKET: client(0x81, 400),
  BAD_PAYLOAD: client(0x99, 422),
  BAD_REQUEST: client(0x83, 400),
  BAD_TOPIC: client(0x90, 400),
  DEVICE_REVOKED: client(0x8a, 403),
  EXISTS: client(0x83, 409),
  NOT_AUTHORIZED: client(0x87, 403),
  NOT_FOUND: client(0x87, 404),
  PAYLOAD_TOO_LARGE: client(0x95, 413),
  PROTOCOL_ERROR: client(0x82, 400),
  PROTOCOL_VERSION: client(0x84, 400),
  TOPIC_ALIAS: client(0x94, 400),
  TOO_MANY_ATTEMPTS: { ...client(0x9f, 429), canRetry: true },
  WRONG_CREDENTIALS: client(0x86, 401),
  // A bound that was reached: nothing was taken, try again when there is room.
  DEVICES_FULL: full('client'),
  DISK_FULL: full('disk'),
  FILTERS_FULL: full('client'),
  MAILBOX_FULL: full('client'),
  RECEIPTS_FULL: full('client'),
  RETAINED_FULL: full('operator'),
  ROSTER_FULL: full('operator'),
  SENDER_FULL: full('client'),
  // The store and the process.
  CONFIG_INVALID: {
    mqtt: 0x80,
    http: 500,
    exit: 78,
    level: 'error',
    fault: 'operator',
    canRetry: false,
  },
  RELAY_UNREACHABLE: {
    mqtt: 0x88,
    http: 503,
    exit: 69,
    level: 'error',
    fault: 'operator',
    canRetry: true,
  },
  STORE_DAMAGED: { mqtt: 0x80, http: 500, exit: 1, level: 'error', fault: 'disk', canRetry: false },
  STORE_FAILED: { mqtt: 0x80, http: 503, exit: 1, level: 'error', fault: 'disk', canRetry: true },
  STORE_LOCKED: {
    mqtt: 0x80,
    http: 503,
    exit: 1,
    level: 'error',
    fault: 'operator',
    canRetry: true,
  },
  STORE_NEWER: {
    mqtt: 0x80,
    http: 500,
    exit: 1,
    level: 'error',
    fault: 'operator',
    canRetry: false,
  },
  USAGE: { mqtt: 0x83, http: 400, exit: 2, level: 'error', fault: 'operator', canRetry: false },
} as const satisfies Record<string, ErrorFacts>

export type ErrorCode = keyof typeof ERRORS

/**
 * What can happen and has to be told. The message says what, whose, how much, and the mend;
 * tests and programs match on `code`, never on the message.
 */
export class RelayError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'RelayError'
    this.code = code
  }

  get facts(): ErrorFacts {
    return ERRORS[this.code]
  }
}
