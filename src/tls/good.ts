/** Whether a certificate of the relay's own making still serves. */
import { X509Certificate } from 'node:crypto'
import type { Names } from './names.ts'

type Certified = { readonly certificate: string }

/** Whether there is a certificate, of this authority, that carries every name. */
export function isGoodFor(
  leaf: Certified | undefined,
  authority: Certified | undefined,
  names: Names,
): boolean {
  if (leaf === undefined || authority === undefined) return false
  const certificate = new X509Certificate(leaf.certificate)
  if (!certificate.verify(new X509Certificate(authority.certificate).publicKey)) return false
  return (
    names.dns.every((name) => certificate.checkHost(name) !== undefined) &&
    names.ip.every((address) => certificate.checkIP(address) !== undefined)
  )
}
