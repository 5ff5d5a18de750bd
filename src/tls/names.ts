/** What clients may call this relay: the names and addresses that its certificate has to carry. */
import type { NetworkInterfaceInfo } from 'node:os'
import { LIMITS } from '../limits.ts'

export type Names = { readonly dns: readonly string[]; readonly ip: readonly string[] }

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

/** A host name as a certificate can hold it. */
const DNS_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/

/**
 * @param host the machine's name; where it has no domain it is also found over mDNS
 * @param interfaces what `os.networkInterfaces` says
 * @returns at most `LIMITS.certificateNamesMax` names
 */
export function namesOf(host: string, interfaces: Interfaces): Names {
  const hosts = host.includes('.') ? [host] : [host, `${host}.local`]
  const dns = new Set(['localhost', ...hosts.filter((name) => DNS_NAME.test(name))])
  const ip = new Set(['127.0.0.1', '::1'])
  for (const { address } of Object.values(interfaces).flatMap((infos) => infos ?? [])) {
    // A link-local address means nothing without the name of an interface.
    if (!/^fe80:/i.test(address)) ip.add(address)
  }
  return { dns: [...dns], ip: [...ip].slice(0, LIMITS.certificateNamesMax - dns.size) }
}
