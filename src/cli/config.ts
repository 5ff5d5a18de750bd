/** `waypost config`: what holds, and where it was set. */
import type { Command } from './command.ts'
import { table } from './layout.ts'

export const CONFIG_COMMAND: Command = {
  words: ['config'],
  about: 'Show the effective configuration and where each value comes from',
  args: [],
  flags: [],
  takesKeys: true,
  async run(call) {
    const { settings } = await call.load()
    const shown = [...settings].map(([key, { value, origin }]) => ({
      key,
      value: withoutSecret(value),
      origin,
    }))
    const rows = shown.map(({ key, value, origin }) => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
      origin,
    ])
    const result = Object.fromEntries(
      shown.map(({ key, value, origin }) => [key, { value, origin }]),
    )
    call.print(result, () => `${table(['KEY', 'VALUE', 'FROM'], rows, '')}\n`)
  },
}

/** A URL may carry a password. */
function withoutSecret(value: unknown): unknown {
  if (typeof value !== 'string') return value
  return value.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/@]*?):[^/]*@/, '$1:***@')
}
