/**
 * What the relay shows to clients over TLS: the certificate that the operator has given, or one
 * of its own making, which follows the names and addresses of the machine. In its folder:
 *
 *     ca.crt      the authority, for clients to trust
 *     ca.pem      the same with its private key
 *     relay.pem   the relay's certificate with its private key
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Clock } from '../clock.ts'
import { RelayError } from '../errors.ts'
import type { RandomBytes } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import type { Log } from '../log.ts'
import { isGoodFor } from './good.ts'
import type { Names } from './names.ts'

/** A certificate and its private key, each as PEM text. */
export type Credential = { readonly certificate: string; readonly key: string }

export type CertificateOptions = {
  /** Where certificates of the relay's own making are kept. */
  readonly folder: string
  /** Name of the authority, shown to people who are asked whether they trust it. */
  readonly name: string
  /** Files that the operator has given. */
  readonly certificate: string | undefined
  readonly key: string | undefined
}

type Parts = {
  readonly clock: Clock
  readonly log: Log
  readonly random: RandomBytes
  /** What the machine is called now. */
  readonly names: () => Names
}

const OWN_ONLY = 0o600
const PEM_BLOCK = /-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----\n?/g

export class Certificates {
  readonly #parts: Parts
  readonly #options: CertificateOptions
  #authority: Credential | undefined
  #leaf: Credential | undefined
  #context: SecureContext | undefined
  #cancel: () => void = () => undefined
  #isStopped = false

  constructor(parts: Parts, options: CertificateOptions) {
    this.#parts = parts
    this.#options = options
  }

  /** What a handshake needs now. */
  get context(): SecureContext {
    if (this.#context === undefined) throw new Error('the certificates were not started')
    return this.#context
  }

  /** The file with the certificate that clients have to trust; none where one was given. */
  get authorityPath(): string | undefined {
    return this.#authority === undefined ? undefined : this.#path('ca.crt')
  }

  /** @throws CONFIG_INVALID where a given certificate cannot be used */
  async start(): Promise<void> {
    const { certificate, key } = this.#options
    if (certificate === undefined && key === undefined) {
      await this.#startOwn()
      return
    }
    if (certificate === undefined || key === undefined) {
      throw new RelayError('CONFIG_INVALID', 'tls.certificate and tls.key go together: set both')
    }
    const given = {
      certificate: await readGiven('tls.certificate', certificate),
      key: await readGiven('tls.key', key),
    }
    try {
      this.#context = contextOf(given)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      const says = `tls.certificate ${certificate} and tls.key ${key} are no pair of PEM files: ${why}`
      throw new RelayError('CONFIG_INVALID', says, { cause })
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  async #startOwn(): Promise<void> {
    this.#authority = await this.#read('ca.pem')
    this.#leaf = await this.#read('relay.pem')
    await this.#renew()
    this.#plan()
  }

  /** An address may come after the start, and change at any time. */
  #plan(): void {
    this.#cancel = this.#parts.clock.after(LIMITS.certificateLookMs, () => void this.#look())
  }

  async #look(): Promise<void> {
    try {
      await this.#renew()
    } catch (error) {
      this.#parts.log.warn({ error }, 'the certificate keeps the names that it had')
    }
    if (!this.#isStopped) this.#plan()
  }

  /** Makes what is missing, and a new certificate where a name of the relay is not in it. */
  async #renew(): Promise<void> {
    const names = this.#parts.names()
    if (!isGoodFor(this.#leaf, this.#authority, names)) await this.#make(names)
    if (this.#leaf !== undefined) this.#context ??= contextOf(this.#leaf)
  }

  async #make(names: Names): Promise<void> {
    // A large library, which is not needed again before the names change.
    const { issue, makeAuthority } = await import('./authority.ts')
    const { random, log } = this.#parts
    let authority = this.#authority
    if (authority === undefined) {
      authority = await makeAuthority({ random }, this.#options.name)
      await this.#keep('ca.pem', pemOf(authority))
      await this.#keep('ca.crt', authority.certificate)
    }
    const leaf = await issue({ random }, authority, names)
    await this.#keep('relay.pem', pemOf(leaf))
    this.#authority = authority
    this.#leaf = leaf
    this.#context = contextOf(leaf)
    log.info({ ...names }, 'a certificate was made for the names of the relay')
  }

  #path(name: string): string {
    return join(this.#options.folder, name)
  }

  async #read(name: string): Promise<Credential | undefined> {
    const text = await readFile(this.#path(name), 'utf8').catch(() => undefined)
    if (text === undefined) return undefined
    const [certificate, key] = text.match(PEM_BLOCK) ?? []
    if (certificate !== undefined && key !== undefined && isPair({ certificate, key })) {
      return { certificate, key }
    }
    this.#parts.log.warn({ file: this.#path(name) }, 'a certificate is damaged and made anew')
    return undefined
  }

  /** Whole or not at all; on a full disk the next start makes another. */
  async #keep(name: string, text: string): Promise<void> {
    const path = this.#path(name)
    try {
      await mkdir(this.#options.folder, { recursive: true, mode: 0o700 })
      const file = await open(`${path}.new`, 'w', OWN_ONLY)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(`${path}.new`, path)
    } catch (error) {
      this.#parts.log.warn({ file: path, error }, 'a certificate could not be kept')
    }
  }
}

function pemOf({ certificate, key }: Credential): string {
  return `${certificate.trimEnd()}\n${key}`
}

function contextOf({ certificate, key }: Credential): SecureContext {
  return createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' })
}

function isPair(credential: Credential): boolean {
  try {
    contextOf(credential)
    return true
  } catch {
    return false
  }
}

async function readGiven(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new RelayError('CONFIG_INVALID', `${what}: ${why}; name a PEM file`, { cause })
  }
}
