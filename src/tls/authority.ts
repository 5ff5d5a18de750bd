/**
 * Certificates of the relay's own making: an authority that clients trust once, and under it a
 * certificate for the names that the relay has now. P-256, which every TLS library of a small
 * device knows. A board may have no clock, so the dates allow every one.
 */
import 'reflect-metadata'
import { createPrivateKey, KeyObject, webcrypto, X509Certificate } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { type RandomBytes, randomHex } from '../ids.ts'
import type { Credential } from './certificates.ts'
import type { Names } from './names.ts'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const NOT_BEFORE = new Date('1970-01-01T00:00:00Z')
/** "No well-defined expiration date" (RFC 5280, 4.1.2.5). */
const NOT_AFTER = new Date('9999-12-31T23:59:59Z')
const SERIAL_BYTES = 15
/** A part of a distinguished name may have at most 64 characters (RFC 5280, upper bounds). */
const COMMON_NAME_MAX = 64

type Parts = { readonly random: RandomBytes }

/** A new authority. `name` is shown to people who are asked whether they trust it. */
export async function makeAuthority(parts: Parts, name: string): Promise<Credential> {
  const keys = await newKeys()
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(parts),
    name: [{ CN: [name.slice(0, COMMON_NAME_MAX)] }],
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), key: pemOf(keys.privateKey) }
}

/** A certificate for a server with these names, signed by the authority. */
export async function issue(
  parts: Parts,
  authority: Credential,
  names: Names,
): Promise<Credential> {
  const issuer = new X509Certificate(authority.certificate)
  const keys = await newKeys()
  const signingKey = createPrivateKey(authority.key).toCryptoKey(ALGORITHM, false, ['sign'])
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial(parts),
    subject: [{ CN: [(names.dns[1] ?? 'localhost').slice(0, COMMON_NAME_MAX)] }],
    issuer: issuer.subject.split('\n').join(', '),
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    signingAlgorithm: ALGORITHM,
    signingKey,
    publicKey: keys.publicKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([
        ...names.dns.map((value) => ({ type: 'dns' as const, value })),
        ...names.ip.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await AuthorityKeyIdentifierExtension.create(
        issuer.publicKey.toCryptoKey(ALGORITHM, true, ['verify']),
      ),
    ],
  })
  return { certificate: certificate.toString('pem'), key: pemOf(keys.privateKey) }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

function pemOf(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString()
}

function serial({ random }: Parts): string {
  // A leading digit that is not 0 makes it positive and of one length.
  return `4${randomHex(SERIAL_BYTES, random)}`.slice(0, 2 * SERIAL_BYTES)
}
