/** Waypost: what was typed in, an exit code out. */
import { hostname } from 'node:os'
import { boundedEnv } from './cli/bounded-memory.ts'
import type { World } from './cli/command.ts'
import { COMMANDS } from './cli/commands.ts'
import { runProgram } from './cli/program.ts'
import { systemClock } from './clock.ts'

// Whatever is made, the store's files too, is for this user alone.
process.umask(0o077)

if (process.argv[2] === 'run') beginBounded()

const STOPPING = ['SIGINT', 'SIGTERM'] as const

const world: World = {
  env: process.env,
  workingDir: process.cwd(),
  hostName: hostname(),
  program:
    process.env['npm_lifecycle_event'] === undefined ? 'waypost' : 'npm run --silent waypost --',
  clock: systemClock,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  async readInput(bytesMax) {
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of process.stdin) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= bytesMax) break
    }
    return Buffer.concat(chunks).toString('utf8')
  },
  onStop(run) {
    // Once each: whoever asks a second time wants it to end at once.
    for (const signal of STOPPING) process.once(signal, run)
    return () => {
      for (const signal of STOPPING) process.off(signal, run)
    }
  },
  loadRelay: () => import('./relay.ts'),
}

// `waypost message list | head` closes the pipe: there is nobody left to tell.
process.stdout.on('error', () => process.exit(1))
// A relay goes on when nobody reads its log any longer.
process.stderr.on('error', () => undefined)

void runProgram(process.argv.slice(2), COMMANDS, world).then((code) => process.exit(code))

/** Replaces this process by one with bounds; the process id, standard streams and arguments stay. */
function beginBounded(): void {
  const env = boundedEnv(process.env)
  if (env === undefined || process.execve === undefined) return
  const { execPath, execArgv, argv } = process
  process.execve(execPath, [execPath, ...execArgv, ...argv.slice(1)], { ...env })
}
