/**
 * The configuration of a relay: flags, then environment, then file, then defaults, checked,
 * converted to the units that the code counts in, and frozen.
 */
import { resolve } from 'node:path'
import { RelayError } from '../errors.ts'
import type { Setting, Settings } from './check.ts'
import { readFileSettings } from './file.ts'
import { type AccessRule, KEY_PATHS, type KeyPath, type Values } from './keys.ts'
import { durationS, sizeBytes } from './quantity.ts'
import { defaultSettings, type Environment, environmentSettings, flagSettings } from './sources.ts'

/** Read where it exists and no other file is named. */
export const USUAL_FILE = '/etc/waypost/waypost.yaml'

export type Config = {
  /** Absolute path. */
  readonly dataDir: string
  readonly mqtt: { readonly host: string; readonly port: number; readonly tlsPort: number }
  /** Absolute paths of what the operator has given. */
  readonly tls: { readonly certificate: string | undefined; readonly key: string | undefined }
  readonly http: { readonly host: string; readonly port: number }
  readonly relay: { readonly name: string; readonly role: 'edge' | 'cloud' }
  readonly mesh: { readonly isEnabled: boolean; readonly port: number }
  readonly cloud: { readonly url: string | undefined }
  readonly access: {
    readonly isAnonymousAllowed: boolean
    readonly rules: readonly AccessRule[]
  }
  readonly messages: {
    readonly expiresAfterS: number
    readonly payloadBytesMax: number
    /** 0: gone from listings once delivered; Infinity: for ever. */
    readonly listedForMs: number
    /** `forever` keeps the payloads of delivered messages too. */
    readonly retention: 'delivered' | 'forever'
  }
  readonly quota: {
    readonly mailboxMessagesMax: number
    readonly mailboxBytesMax: number
    readonly senderMessagesMax: number
    /** Infinity: what the disk has. */
    readonly diskBytesMax: number
  }
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error'
    readonly format: 'text' | 'json'
  }
}

/** A configuration, and for each key what was written and where. */
export type LoadedConfig = {
  readonly config: Config
  readonly settings: ReadonlyMap<KeyPath, Setting>
}

export type ConfigSources = {
  readonly flags: ReadonlyMap<KeyPath, string>
  readonly env: Environment
  /** The file that `--config` names. */
  readonly file: string | undefined
  /** The content of a file, or `undefined` where there is none. @throws CONFIG_INVALID */
  readonly readText: (path: string) => Promise<string | undefined>
  readonly hostName: string
  /** What relative paths start from. */
  readonly workingDir: string
}

/** @throws CONFIG_INVALID with one line that names the place, the key and what is allowed */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const settings = new Map<KeyPath, Setting>([
    ...defaultSettings(sources.env, sources.hostName),
    ...(await fileSettings(sources)),
    ...environmentSettings(sources.env),
    ...flagSettings(sources.flags),
  ])
  // Every value has passed the schema of its key.
  const values = Object.fromEntries(
    KEY_PATHS.map((path) => [path, settings.get(path)?.value]),
  ) as Values
  return { config: frozen(configOf(values, sources.workingDir)), settings }
}

async function fileSettings(sources: ConfigSources): Promise<Settings> {
  const name = sources.file ?? USUAL_FILE
  const content = await sources.readText(resolve(sources.workingDir, name))
  if (content !== undefined) return readFileSettings(name, content)
  if (sources.file === undefined) return new Map()
  throw new RelayError('CONFIG_INVALID', `--config: no file ${name}; name one that exists`)
}

function configOf(values: Values, workingDir: string): Config {
  return {
    dataDir: resolve(workingDir, values.data_dir),
    mqtt: {
      host: values['mqtt.host'],
      port: values['mqtt.port'],
      tlsPort: values['mqtt.tls_port'],
    },
    tls: {
      certificate: pathOf(values['tls.certificate'], workingDir),
      key: pathOf(values['tls.key'], workingDir),
    },
    http: { host: values['http.host'], port: values['http.port'] },
    relay: { name: values['relay.name'], role: values['relay.role'] },
    mesh: { isEnabled: values['mesh.enabled'], port: values['mesh.port'] },
    cloud: { url: values['cloud.url'] === 'none' ? undefined : values['cloud.url'] },
    access: {
      isAnonymousAllowed: values['access.anonymous'],
      rules: values['access.rules'],
    },
    messages: {
      expiresAfterS: secondsOf(values['messages.expires_after']),
      payloadBytesMax: bytesOf(values['messages.payload_bytes_max']),
      listedForMs: secondsOf(values['messages.listed_for']) * 1000,
      retention: values['messages.retention'],
    },
    quota: {
      mailboxMessagesMax: values['quota.mailbox_messages'],
      mailboxBytesMax: bytesOf(values['quota.mailbox_bytes']),
      senderMessagesMax: values['quota.sender_messages'],
      diskBytesMax: bytesOf(values['quota.disk_bytes']),
    },
    log: { level: values['log.level'], format: values['log.format'] },
  }
}

function pathOf(written: string, workingDir: string): string | undefined {
  return written === 'none' ? undefined : resolve(workingDir, written)
}

function secondsOf(written: string | 0): number {
  if (written === 0 || written === '0') return 0
  return durationS(written) ?? Number.POSITIVE_INFINITY
}

function bytesOf(written: string | number): number {
  return sizeBytes(written) ?? Number.POSITIVE_INFINITY
}

function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) frozen(part)
    Object.freeze(value)
  }
  return value
}
