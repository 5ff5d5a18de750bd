/** What the programs beside the tests have in common: their numbers, and how they end. */

/** The whole number of an option. @throws Error that names the option */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${option} takes a whole number`)
  return value
}

/** Runs a program to its exit code; 2 where it could not do its work. */
export async function runProgram(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
  }
}
