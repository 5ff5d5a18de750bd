/** Text from outside, made fit for a line on a screen or in a log. */

/**
 * The text with everything escaped that could end a line, move a cursor or turn the direction of
 * writing: `\u001b` and so on. Inside a JSON string the result still means the same.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) =>
    Array.from({ length: char.length }, (_, at) => escapeOf(char.charCodeAt(at))).join(''),
  )
}

function escapeOf(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
