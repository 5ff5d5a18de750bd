/** The load process: all publishers and devices of a bench in one event loop, on one core. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Address, Credential } from '../test/drill/broker.ts'
import { LoadClient } from '../test/load/load-client.ts'
import { PublishPump, payloadPool } from '../test/load/pump.ts'
import { SeededRandom } from '../test/load/random.ts'
import { Fan } from './fan.ts'
import { type Answer, type Command, type LoadOptions, markerOf } from './load-protocol.ts'

/** Sign-ins at once: more than brokers hash at a time, less than they queue. */
const CONNECTS_MAX = 32
const VERSION = 4

class LoadWorker {
  #users: readonly Credential[] = []
  #options: LoadOptions = { seed: 0, payloadBytes: 0, window: 0 }
  #pumps: readonly PublishPump[] = []
  #clients: LoadClient[] = []
  #arrivals = 0
  #awaited = 0
  #allArrived: (() => void) | undefined
  #fan: Fan | undefined

  async obey(command: Command): Promise<Answer> {
    switch (command.do) {
      case 'prepare':
        this.#users = command.users
        this.#options = command.options
        break
      case 'register':
        await this.#register(command.address)
        break
      case 'connect':
        this.#pumps = await this.#connect(command.address, command.wantsReceipts)
        break
      case 'receive':
        await this.#receive(command.address, command.clean)
        break
      case 'publish':
        return this.#publish(command)
      case 'await':
        await this.#await(command.arrivals)
        break
      case 'leave':
        await Promise.all(this.#clients.map((client) => client.disconnect()))
        this.#clients = []
        break
      case 'fan':
        await this.#fan?.leave()
        this.#fan = new Fan({ random: new SeededRandom(this.#options.seed) }, command.fan)
        await this.#fan.connect()
        break
      case 'blow':
        return this.#blow(command.ms)
    }
    return this.#answer({})
  }

  async #register(address: Address): Promise<void> {
    await this.#each(async (user) => {
      const client = this.#client(address, user, 'device', {})
      await client.connect()
      await client.subscribe(`users/${user.name}/inbox/#`, 1)
      await client.disconnect()
    })
  }

  async #receive(address: Address, clean: boolean): Promise<void> {
    const arrived = (): void => {
      if (++this.#arrivals === this.#awaited) this.#allArrived?.()
    }
    await this.#each(async (user) => {
      const client = this.#client(address, user, 'device', { arrived }, clean)
      this.#clients.push(client)
      await client.connect()
      await client.subscribe(`users/${user.name}/inbox/#`, 1)
    })
  }

  async #connect(address: Address, wantsReceipts: boolean): Promise<PublishPump[]> {
    const users = this.#users
    const { seed, payloadBytes, window } = this.#options
    const random = new SeededRandom(seed)
    const pool = payloadPool(random)
    const pumps: PublishPump[] = []
    await this.#each(async (user, index) => {
      const to = users[(index + 1) % users.length]?.name ?? ''
      const client = this.#client(address, user, 'publisher', {
        acknowledged: (_packetId, reason) => pumps[index]?.answered(reason),
      })
      pumps[index] = new PublishPump(
        { client, pool, random },
        {
          version: VERSION,
          topicPrefix: `users/${to}/inbox/${user.name}/`,
          idPrefix: `${user.name}-`,
          payloadBytes,
          window,
          marker: markerOf(seed, index),
        },
      )
      this.#clients.push(client)
      await client.connect()
      if (wantsReceipts) await client.subscribe(`users/${user.name}/receipts/#`, 1)
    })
    return pumps
  }

  async #publish(much: { ms: number } | { messages: number }): Promise<Answer> {
    const watch = this.#watch()
    const each =
      'ms' in much ? Number.POSITIVE_INFINITY : Math.ceil(much.messages / this.#pumps.length)
    for (const pump of this.#pumps) pump.start(each)
    const finished = () => Promise.all(this.#pumps.map((pump) => pump.finished()))
    await ('ms' in much ? delay(much.ms) : finished())
    const seen = watch()
    for (const pump of this.#pumps) pump.stop()
    await finished()
    return this.#answer(seen)
  }

  async #blow(ms: number): Promise<Answer> {
    const fan = this.#fan
    if (fan === undefined) throw new Error('there is no fan')
    const watch = this.#watch()
    fan.start()
    await delay(ms)
    const seen = watch()
    await fan.stop()
    return this.#answer(seen)
  }

  /** Looks at what has been done so far; the function returned tells what has come since. */
  #watch(): () => Omit<Answer, 'refused' | 'sent'> {
    const startedMs = performance.now()
    const startedCpu = process.cpuUsage()
    const [acknowledged, arrived] = [this.#acknowledged(), this.#arrived()]
    return () => {
      const ms = performance.now() - startedMs
      const { user, system } = process.cpuUsage(startedCpu)
      return {
        acknowledged: this.#acknowledged() - acknowledged,
        arrived: this.#arrived() - arrived,
        ms,
        cpuMs: (user + system) / 1000,
      }
    }
  }

  #arrived(): number {
    return this.#arrivals + (this.#fan?.arrivals ?? 0)
  }

  #await(arrivals: number): Promise<void> {
    if (this.#arrivals >= arrivals) return Promise.resolve()
    return new Promise((resolve) => {
      this.#awaited = arrivals
      this.#allArrived = resolve
    })
  }

  #acknowledged(): number {
    return this.#pumps.reduce((sum, pump) => sum + pump.acknowledged, 0)
  }

  #answer(seen: Partial<Answer>): Answer {
    const refused = this.#pumps.reduce((sum, pump) => sum + pump.refused.count, 0)
    const sent = this.#pumps.map((pump) => pump.sent)
    return { acknowledged: 0, arrived: 0, ms: 0, cpuMs: 0, ...seen, refused, sent }
  }

  #client(
    address: Address,
    user: Credential,
    role: string,
    events: ConstructorParameters<typeof LoadClient>[0]['events'],
    // Mosquitto queues only for sessions that stay.
    clean = role === 'publisher',
  ): LoadClient {
    return new LoadClient(
      { events },
      {
        ...address,
        version: VERSION,
        clientId: `${user.name}-${role}`,
        username: user.name,
        password: user.password,
        clean,
      },
    )
  }

  /** Does `work` for each user, `CONNECTS_MAX` at a time. */
  async #each(work: (user: Credential, index: number) => Promise<void>): Promise<void> {
    const rest = this.#users.entries()
    const lane = async (): Promise<void> => {
      for (const [index, user] of rest) await work(user, index)
    }
    await Promise.all(Array.from({ length: CONNECTS_MAX }, lane))
  }
}

const worker = new LoadWorker()
process.on('message', (command: Command) => {
  worker.obey(command).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
