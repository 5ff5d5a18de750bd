/** `waypost status`: a running relay on one screen, problems last. */
import type { OperationResult } from '../control/operations.ts'
import type { Command } from './command.ts'
import { bytesText, columns, countText, lengthText } from './layout.ts'

type Status = OperationResult<'status'>

/** So that everything fits on a screen of 24 lines. */
const LINKS_MAX = 6
const PROBLEMS_MAX = 5

export const STATUS_COMMAND: Command = {
  words: ['status'],
  about: 'Show how the running relay is',
  args: [],
  flags: [],
  takesKeys: false,
  async run(call) {
    const status = await call.perform('status', {})
    call.print(status, () => statusText(status))
  },
}

function statusText({ messages, disk, links, problems, ...relay }: Status): string {
  const { accepted, delivered, queued, expired, refused } = messages
  const sum = `${countText(delivered)} delivered + ${countText(queued)} queued + ${countText(expired)} expired`
  const facts = columns([
    ['relay', `${relay.relay}, Waypost ${relay.version}, up ${lengthText(relay.uptimeMs)}`],
    ['clients', `${countText(relay.clients)} connected`],
    ['messages', `${countText(accepted)} accepted = ${sum}; ${countText(refused)} refused`],
    ['disk', `${bytesText(disk.usedBytes)} of ${bytesText(disk.maxBytes)} used`],
    ['links', links.length === 0 ? 'none' : String(links.length)],
  ])
  const linkLines = some(links, LINKS_MAX, (link) => [
    columns([[`  ${link.relay}`, link.isUp ? 'up' : 'down']]),
  ])
  const problemLines = some(problems, PROBLEMS_MAX, ({ what, mend }) => [
    columns([[`  ${what}`]]),
    columns([[`    mend: ${mend}`]]),
  ])
  const verdict = problems.length === 0 ? 'no problems' : `problems: ${problems.length}`
  return `${[facts, ...linkLines, verdict, ...problemLines].join('\n')}\n`
}

/** The lines of the first so many, and how many there are beside them. */
function some<Item>(items: readonly Item[], max: number, lines: (item: Item) => string[]) {
  const left = items.length - max
  return [...items.slice(0, max).flatMap(lines), ...(left > 0 ? [`  and ${left} more`] : [])]
}
