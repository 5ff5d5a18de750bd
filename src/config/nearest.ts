/** The word that somebody most likely meant. */

/** More slips than this and it was another word. */
const SLIPS_MAX = 2

/** The one of `words` that is nearest to `given`, where one is near: at most two slips away. */
export function nearest(given: string, words: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = SLIPS_MAX + 1
  for (const word of words) {
    // Words of very different length are never near; this also bounds the work.
    if (Math.abs(word.length - given.length) >= least) continue
    const count = slips(given, word)
    if (count < least) {
      best = word
      least = count
    }
  }
  return best
}

/** Letters to add, drop or change to make `one` of `other` (Levenshtein's distance). */
function slips(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let row = 1; row <= one.length; row += 1) {
    const line = [row]
    for (let at = 1; at <= other.length; at += 1) {
      const changed = (above[at - 1] ?? 0) + (one[row - 1] === other[at - 1] ? 0 : 1)
      line.push(Math.min(changed, (above[at] ?? 0) + 1, (line[at - 1] ?? 0) + 1))
    }
    above = line
  }
  return above[other.length] ?? 0
}
