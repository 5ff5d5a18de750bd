/** Durations and sizes as people write them: `90s`, `12h`, `30d`; `64KiB`, `512MiB`, `2GiB`. */

type Units = readonly (readonly [unit: string, size: number])[]

const SECONDS: Units = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
]

const BYTES: Units = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['B', 1],
]

/** Seconds of a whole number and `s`, `m`, `h` or `d`; `undefined` for any other text. */
export function durationS(written: string): number | undefined {
  return product(written, SECONDS)
}

/** Bytes of a number, or of a whole number and `B`, `KiB`, `MiB`, `GiB` or `TiB`. */
export function sizeBytes(written: string | number): number | undefined {
  return typeof written === 'number' ? written : product(written, BYTES)
}

/** The shortest text that `durationS` reads as these whole seconds. */
export function durationText(seconds: number): string {
  return shortest(seconds, SECONDS)
}

/** The shortest text that `sizeBytes` reads as these whole bytes. */
export function sizeText(bytes: number): string {
  return shortest(bytes, BYTES)
}

function product(written: string, units: Units): number | undefined {
  const [, count, name] = /^([0-9]{1,15}) ?([A-Za-z]+)$/.exec(written) ?? []
  const size = units.find(([unit]) => unit === name)?.[1]
  if (count === undefined || size === undefined) return undefined
  const total = Number(count) * size
  return Number.isSafeInteger(total) ? total : undefined
}

function shortest(total: number, units: Units): string {
  const fitting = units.find(([, size]) => total >= size && total % size === 0)
  const [unit, size] = fitting ?? units.at(-1) ?? ['', 1]
  return `${total / size}${unit}`
}
