/** `waypost version` */
import { VERSION } from '../version.ts'
import type { Command } from './command.ts'

export const VERSION_COMMAND: Command = {
  words: ['version'],
  about: 'Show the version',
  args: [],
  flags: [],
  takesKeys: false,
  async run(call) {
    const { version: node, platform, arch } = process
    const result = { version: VERSION, node, platform, arch }
    call.print(result, () => `waypost ${VERSION} (node ${node}, ${platform} ${arch})\n`)
  },
}
