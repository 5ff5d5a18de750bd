/**
 * A set of packet identifiers, a bit for each: at most 8 KiB, whatever a client does. A client of
 * 3.1.1 knows no Receive Maximum and may have all 65,535 under way.
 */

const BYTES = 65_536 / 8

export class PacketIds {
  #bits: Uint8Array | undefined

  add(packetId: number): void {
    this.#bits ??= new Uint8Array(BYTES)
    const at = packetId >> 3
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (packetId & 7))
  }

  has(packetId: number): boolean {
    return ((this.#bits?.[packetId >> 3] ?? 0) & (1 << (packetId & 7))) !== 0
  }

  /** Takes an identifier out; whether it was in. */
  delete(packetId: number): boolean {
    const at = packetId >> 3
    const byte = this.#bits?.[at] ?? 0
    const bit = 1 << (packetId & 7)
    if (this.#bits === undefined || (byte & bit) === 0) return false
    this.#bits[at] = byte & ~bit
    return true
  }
}
