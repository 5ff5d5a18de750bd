/** `waypost message …` */
import type { OperationResult } from '../control/operations.ts'
import type { Trace, TraceEvent } from '../delivery/inquiry.ts'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { printable } from '../printable.ts'
import { argument, type Call, type Command, type Flag } from './command.ts'
import { bytesText, columns, table, timeText } from './layout.ts'
import { momentMs } from './moment.ts'

const STATUSES = ['queued', 'stored', 'delivered', 'read', 'expired'] as const
const LISTED_DEFAULT = 100

const FILTERS: readonly Flag[] = [
  { name: 'user', value: 'USER', about: 'From or to this user' },
  { name: 'id', value: 'ID', about: 'With this message id' },
  {
    name: 'status',
    value: 'STATUS',
    choices: STATUSES,
    about: 'In this state; queued: not delivered yet',
  },
  { name: 'since', value: 'TIME', about: 'Accepted at this time or later; 2h: two hours ago' },
  { name: 'until', value: 'TIME', about: 'Accepted at this time or earlier' },
  { name: 'limit', value: 'N', about: `The newest N, at most ${LIMITS.listedMax}; default 100` },
]

const list: Command = {
  words: ['message', 'list'],
  about: 'List messages, the newest first',
  args: [],
  flags: FILTERS,
  takesKeys: false,
  async run(call) {
    const messages = await call.perform('message.list', {
      limit: limitOf(call.flags.get('limit')),
      ...filtersOf(call),
    })
    const heading = ['ID', 'FROM', 'TO', 'STATUS', 'ACCEPTED', 'SIZE']
    const rows = messages.map(({ id, from, to, status, acceptedAt, bytes }) => [
      id,
      from,
      to,
      status,
      timeText(acceptedAt),
      bytesText(bytes),
    ])
    call.print(messages, () => `${table(heading, rows, 'no messages')}\n`)
  },
}

const trace: Command = {
  words: ['message', 'trace'],
  about: 'Tell the story of a message: where it is, why, and what happens next',
  args: [{ name: 'ID', about: 'Message id' }],
  flags: [],
  takesKeys: false,
  async run(call) {
    const story = await call.perform('message.trace', { id: argument(call, 'ID') })
    call.print(story, () => storiesText(story))
  },
}

function filtersOf({ flags, world }: Call) {
  const text = (name: string) => (flags.has(name) ? { [name]: flags.get(name) } : {})
  const status = STATUSES.find((one) => one === flags.get('status'))
  const moment = (flag: 'since' | 'until') => {
    const written = flags.get(flag)
    if (written === undefined) return {}
    return { [`${flag}Ms`]: momentMs(written, world.clock.wallMs(), flag) }
  }
  return {
    ...text('user'),
    ...text('id'),
    ...(status === undefined ? {} : { status }),
    ...moment('since'),
    ...moment('until'),
  }
}

function limitOf(written: string | undefined): number {
  if (written === undefined) return LISTED_DEFAULT
  const limit = /^[0-9]{1,6}$/.test(written) ? Number(written) : 0
  if (limit >= 1 && limit <= LIMITS.listedMax) return limit
  throw new RelayError('USAGE', `--limit: a whole number from 1 to ${LIMITS.listedMax} is allowed`)
}

function storiesText(story: OperationResult<'message.trace'>): string {
  const others = 'others' in story ? story.others : []
  return [story, ...others].map(storyText).join('\n')
}

function storyText({ id, from, to, status, bytes, events, next }: Trace): string {
  const lines = [
    `message ${id} from ${from} to ${to}, ${bytesText(bytes)}: ${status}`,
    columns(events.map(eventCells)),
    ...(next === undefined ? [] : [`next: ${printable(next)}`]),
  ]
  return `${lines.join('\n')}\n`
}

function eventCells({ at, clock, relay, what, device, reason }: TraceEvent): string[] {
  const by = device === undefined ? '' : `to device ${device}`
  const why = reason === undefined ? '' : `because ${reason}`
  return [`  ${timeText(at)}`, `clock ${clock}`, relay, [what, by, why].filter(Boolean).join(' ')]
}

export const MESSAGE_COMMANDS: readonly Command[] = [list, trace]
