/**
 * The admin socket of a running relay. Who may open it may do everything: it has mode 0600.
 *
 *     -> {"op":"user.add","input":{"id":"bob","isAdmin":false}}\n
 *     <- {"ok":true,"result":{"id":"bob","password":"…"}}\n
 *     <- {"ok":false,"error":{"code":"EXISTS","message":"…"}}\n      where it is refused
 *
 * One request a connection.
 */
import { once } from 'node:events'
import { lstat, unlink } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../clock.ts'
import { type ErrorCode, RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import { readLine } from './line.ts'
import type { Operations } from './operations.ts'
import { type SocketPlace, socketPlace } from './place.ts'

export type Answer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: { readonly code: ErrorCode; readonly message: string } }

type Parts = {
  readonly operations: Pick<Operations, 'perform'>
  readonly log: Log
  readonly clock: Clock
}

export class ControlServer {
  readonly #parts: Parts
  readonly #dataDir: string
  readonly #sockets = new Set<Socket>()
  readonly #answers = new Set<Promise<void>>()
  #place: SocketPlace | undefined
  #server: Server | undefined

  constructor(parts: Parts, options: { dataDir: string }) {
    this.#parts = parts
    this.#dataDir = options.dataDir
  }

  /**
   * Listens; takes the place of a socket that a killed relay left behind.
   * @throws STORE_LOCKED when another relay listens there
   * @throws EXISTS when something that is no socket is there
   * @throws STORE_FAILED when the directory cannot be used
   */
  async start(): Promise<void> {
    if (this.#server !== undefined) return
    try {
      this.#place = await socketPlace(this.#dataDir)
      await makeRoom(this.#place.path, this.#dataDir)
      this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#welcome(socket))
      await listen(this.#server, this.#place.path)
      const { log } = this.#parts
      this.#server.on('error', (error) => log.warn({ error }, 'a request could not be taken'))
    } catch (error) {
      this.#server = undefined
      await this.#leave()
      if (error instanceof RelayError) throw error
      const why = (error as NodeJS.ErrnoException).code
      const text = `admin socket in ${this.#dataDir}: ${why}; make the directory writable`
      throw new RelayError('STORE_FAILED', text, { cause: error })
    }
  }

  /** Takes no more requests, answers those that have come, and removes the socket. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = once(server, 'close')
    server.close()
    await Promise.allSettled(this.#answers)
    for (const socket of this.#sockets) socket.destroySoon()
    await closed
    await this.#leave()
  }

  async #leave(): Promise<void> {
    await this.#place?.close()
    this.#place = undefined
  }

  #welcome(socket: Socket): void {
    const { log, clock } = this.#parts
    socket.on('error', (error) => log.debug({ error }, 'admin connection broke'))
    if (this.#sockets.size >= LIMITS.controlConnectionsMax) {
      const says = `${LIMITS.controlConnectionsMax} requests are open, the most allowed: try again`
      send(socket, refusal(new RelayError('TOO_MANY_ATTEMPTS', says)))
      return
    }
    this.#sockets.add(socket)
    const cancel = clock.after(LIMITS.controlRequestMsMax, () => socket.destroy())
    socket.once('close', () => this.#sockets.delete(socket))
    readLine(socket, LIMITS.controlRequestBytesMax)
      .finally(cancel)
      .then(
        (line) => this.#serve(socket, line),
        (error: unknown) => send(socket, refusal(error)),
      )
  }

  #serve(socket: Socket, line: string | undefined): void {
    if (line === undefined) {
      socket.destroy()
      return
    }
    const answer = this.#answer(line).then((text) => {
      // A client that does not read its answer does not keep its place.
      this.#parts.clock.after(LIMITS.controlRequestMsMax, () => socket.destroy())
      send(socket, text)
    })
    this.#answers.add(answer)
    void answer.finally(() => this.#answers.delete(answer))
  }

  async #answer(line: string): Promise<Answer> {
    try {
      const { op, input } = requestOf(line)
      return { ok: true, result: await this.#parts.operations.perform(op, input) }
    } catch (error) {
      if (!(error instanceof RelayError)) this.#parts.log.error({ error }, 'operation failed')
      return refusal(error)
    }
  }
}

function requestOf(line: string): { op: string; input: unknown } {
  try {
    const { op, input } = JSON.parse(line) as { op: unknown; input: unknown }
    if (typeof op === 'string') return { op, input }
  } catch {
    // Answered below, like JSON that is no request.
  }
  throw new RelayError('BAD_REQUEST', 'a request is {"op":"…","input":{…}} on one line')
}

function refusal(error: unknown): Answer {
  if (error instanceof RelayError) {
    return { ok: false, error: { code: error.code, message: error.message } }
  }
  const message = 'the relay could not do that; its log says why'
  return { ok: false, error: { code: 'STORE_FAILED', message } }
}

function send(socket: Socket, answer: Answer): void {
  socket.write(`${JSON.stringify(answer)}\n`)
  socket.destroySoon()
}

/** Removes what a killed relay left at `path`, and nothing else. */
async function makeRoom(path: string, dataDir: string): Promise<void> {
  const facts = await lstat(path).catch(absent)
  if (facts === undefined) return
  if (!facts.isSocket()) {
    throw new RelayError('EXISTS', `control.sock in ${dataDir} is no socket: move it away`)
  }
  if (await isAnswered(path)) {
    throw new RelayError('STORE_LOCKED', `a relay runs on ${dataDir} already: stop it first`)
  }
  await unlink(path).catch(absent)
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function listen(server: Server, path: string): Promise<void> {
  // The socket is bound within `listen`, so no moment passes in which others may open it.
  const before = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(before)
  }
  await once(server, 'listening')
}
