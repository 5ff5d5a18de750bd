/** Paho for Python (Debian: python3-paho-mqtt), steered through `paho-client.py`. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { TestRelay } from '../support/relay.ts'
import { type ClientProcess, launch } from './client-process.ts'

/** Where Python is looked for; Debian's packages belong to its own. */
const PYTHONS = ['python3', '/usr/bin/python3']
const PYTHON = PYTHONS.find(
  (python) => spawnSync(python, ['-c', 'import paho.mqtt.client']).status === 0,
)

/** Why the tests cannot run here; `false` where they can. */
export const skip =
  PYTHON === undefined ? 'Paho for Python (Debian: python3-paho-mqtt) is missing' : false

type Properties = Readonly<Record<string, unknown>>

export type PahoWill = {
  readonly topic: string
  readonly payload: string
  readonly qos?: 0 | 1 | 2
  readonly retain?: boolean
  readonly properties?: Properties
}

export type PahoOptions = {
  readonly version?: 3 | 4 | 5
  readonly loop?: 'thread' | 'forever' | 'manual' | 'sockets'
  readonly transport?: 'tcp' | 'websockets'
  /** With MQTT 5, `null` is a clean start at the first connection alone. */
  readonly clean?: boolean | null
  readonly clientId?: string
  readonly keepalive?: number
  readonly will?: PahoWill
  readonly host?: string
  readonly port?: number
  /** A file with the certificate to trust; the connection is over TLS then. */
  readonly authority?: string
  readonly properties?: Properties
  /** Whether it has a process of its own, which can be killed. */
  readonly isAlone?: boolean
}

export type PahoMessage = {
  readonly topic: string
  readonly text: string
  readonly qos: number
  readonly retain: boolean
  readonly properties: Readonly<Record<string, unknown>>
}

type PahoEvent = Readonly<Record<string, unknown>> & { readonly event: string }

/** Numbers of clients, which tell them apart in one process. */
let clients = 0

/** The process that the clients of a test share: Python takes a while to start. */
const shared = new WeakMap<Test, ClientProcess>()

export class PahoClient {
  readonly #number = ++clients
  readonly #process: ClientProcess
  readonly #events: PahoEvent[] = []
  /** Packet identifiers by what has begun, and events by what has ended. */
  readonly #begun = new Map<string, unknown>()
  readonly #ended = new Map<string, PahoEvent>()
  #parsed = 0
  #tags = 0

  constructor(process: ClientProcess) {
    this.#process = process
  }

  /** What has happened so far. */
  get events(): readonly PahoEvent[] {
    this.#read()
    return this.#events
  }

  #read(): void {
    for (; this.#parsed < this.#process.lines.length; this.#parsed += 1) {
      const event = JSON.parse(this.#process.lines[this.#parsed] ?? '') as PahoEvent
      if (event['client'] === this.#number) this.#note(event)
    }
  }

  #note(event: PahoEvent): void {
    this.#events.push(event)
    if ('tag' in event) this.#begun.set(`${event.event} ${event['tag']}`, event['mid'])
    else if ('mid' in event) this.#ended.set(`${event.event} ${event['mid']}`, event)
  }

  get messages(): PahoMessage[] {
    return this.events.filter(({ event }) => event === 'message') as unknown as PahoMessage[]
  }

  get texts(): string[] {
    return this.messages.map(({ text }) => text)
  }

  command(what: string, fields: object = {}): void {
    this.#process.write(`${JSON.stringify({ do: what, client: this.#number, ...fields })}\n`)
  }

  /** Waits until so many events of a kind have happened in all; returns the last of them. */
  async happened(kind: string, count = 1): Promise<PahoEvent> {
    const found = () => this.events.filter(({ event }) => event === kind)
    await this.#process.until(() => found().length >= count)
    return found()[count - 1] as PahoEvent
  }

  /** Waits until so many messages have arrived in all; returns them. */
  async received(count: number): Promise<PahoMessage[]> {
    await this.happened('message', count)
    return this.messages
  }

  /** Connects; returns what CONNACK says. */
  async connect(): Promise<PahoEvent> {
    const count = this.events.filter(({ event }) => event === 'connected').length
    this.command('connect')
    return await this.happened('connected', count + 1)
  }

  /** Publishes; returns when the relay has acknowledged it, or it has been sent with QoS 0. */
  async publish(topic: string, payload: string, more: object = {}): Promise<void> {
    await this.#request('publish', ['publishing', 'published'], { topic, payload, qos: 1, ...more })
  }

  /** Subscribes by one SUBSCRIBE; returns what was granted. */
  async subscribe(filters: readonly string[], qos = 1, more: object = {}): Promise<number[]> {
    const pairs = { filters: filters.map((filter) => [filter, qos]) }
    const names = ['subscribing', 'subscribed'] as const
    const { codes } = await this.#request('subscribe', names, { ...pairs, ...more })
    return codes as number[]
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    await this.#request('unsubscribe', ['unsubscribing', 'unsubscribed'], { filters })
  }

  async disconnect(more: object = {}): Promise<void> {
    this.command('disconnect', more)
    await this.happened('disconnected')
  }

  /** Is killed, and so gone without a word; for one that is alone. */
  async kill(): Promise<void> {
    this.#process.kill()
    await this.#process.ended()
  }

  /** What has answered a command: the event that has the packet identifier of its start. */
  async #request(
    what: string,
    [begins, ends]: readonly [string, string],
    fields: object,
  ): Promise<PahoEvent> {
    this.#tags += 1
    const tag = String(this.#tags)
    this.command(what, { ...fields, tag })
    const found = (): PahoEvent | undefined => {
      this.#read()
      const mid = this.#begun.get(`${begins} ${tag}`)
      return mid === undefined ? undefined : this.#ended.get(`${ends} ${mid}`)
    }
    await this.#process.until(() => found() !== undefined)
    return found() as PahoEvent
  }
}

/** Makes a client, not connected yet, that is gone with the test. */
export function makePaho(
  t: Test,
  relay: TestRelay,
  user: { name: string; password: string },
  { isAlone = false, ...options }: PahoOptions = {},
): PahoClient {
  const client = new PahoClient(
    isAlone ? launchPython(t) : (shared.get(t) ?? launchPython(t, shared)),
  )
  const port = options.transport === 'websockets' ? relay.httpPort : relay.mqttPort
  client.command('make', {
    host: '127.0.0.1',
    port,
    user: user.name,
    password: user.password,
    ...options,
  })
  return client
}

function launchPython(t: Test, keep?: WeakMap<Test, ClientProcess>): ClientProcess {
  const program = join(import.meta.dirname, 'paho-client.py')
  const process = launch(t, PYTHON ?? 'python3', [program])
  keep?.set(t, process)
  return process
}

/** Makes a client and connects it. */
export async function connectPaho(...given: Parameters<typeof makePaho>): Promise<PahoClient> {
  const client = makePaho(...given)
  await client.connect()
  return client
}
