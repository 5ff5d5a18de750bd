/** The command line in a made-up process: what it is typed, what it says, and how it ends. */

import type { World } from '../../src/cli/command.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { runProgram } from '../../src/cli/program.ts'
import type { RelayModule, RunningRelay } from '../../src/cli/relay-face.ts'
import type { Config } from '../../src/config/config.ts'
import type { Log } from '../../src/log.ts'
import { operationParts, stillClock } from '../control/rig.ts'

const ADDRESSES = { mqtt: { host: '0.0.0.0', port: 1884 }, http: { host: '::', port: 8081 } }

/** A relay that does what a test says. */
export class ToyRelay implements RunningRelay {
  readonly addresses = ADDRESSES
  readonly happened: string[] = []
  firstAdmin: RunningRelay['firstAdmin']
  whenStarted: Promise<void> = Promise.resolve()
  whenStopped: Promise<void> = Promise.resolve()
  readonly config: Config
  readonly log: Log

  constructor(config: Config, parts: { log: Log }) {
    this.config = config
    this.log = parts.log
  }

  async start(): Promise<void> {
    this.happened.push('start')
    await this.whenStarted
  }

  async stop(): Promise<void> {
    this.happened.push('stop')
    await this.whenStopped
  }
}

/** @param given what differs from a quiet machine without any relay */
export function rig(given: Partial<World> & { input?: string; relay?: Partial<ToyRelay> } = {}) {
  const offline = operationParts()
  const { clock, tick } = stillClock()
  const told = { out: '', err: '', opened: 0, closed: 0 }
  const relays: ToyRelay[] = []
  let stop: (() => void) | undefined
  const relayModule: RelayModule = {
    Relay: class extends ToyRelay {
      constructor(config: Config, parts: { log: Log }) {
        super(config, parts)
        Object.assign(this, given.relay)
        relays.push(this)
      }
    },
    async openOffline() {
      told.opened += 1
      return {
        parts: offline.parts,
        async close() {
          told.closed += 1
        },
      }
    },
  }
  const world: World = {
    env: {},
    workingDir: '/nowhere',
    hostName: 'pi',
    program: 'waypost',
    clock,
    out(text) {
      told.out += text
    },
    err(text) {
      told.err += text
    },
    readInput: async (bytesMax) => (given.input ?? '').slice(0, bytesMax),
    onStop(run) {
      stop = run
      return () => {
        stop = undefined
      }
    },
    loadRelay: async () => relayModule,
    ...given,
  }
  return {
    ...offline,
    told,
    tick,
    relays,
    isStoppable: () => stop !== undefined,
    askToStop: () => stop?.(),
    /** Types a command; each word of the text is one argument. */
    async type(line: string | readonly string[]): Promise<number> {
      told.out = ''
      told.err = ''
      const argv = typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line
      return runProgram(argv, COMMANDS, world)
    },
    json: (): unknown => JSON.parse(told.out),
  }
}
