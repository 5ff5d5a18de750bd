import t from 'tap'
import { type Figures, metricsText } from '../../src/http/metrics.ts'

const FIGURES: Figures = {
  version: '0.1.0',
  clients: 2,
  messages: { accepted: 9, delivered: 4, queued: 3, expired: 2, refused: 1 },
  commits: 5,
  committedBytes: 600,
  withdrawn: 3,
  fsyncMs: 1.5,
  diskUsedBytes: 7_000,
  uptimeMs: 2_500,
}

t.test('each metric has its help, its type and its value, in base units', async (t) => {
  const lines = metricsText(FIGURES).split('\n')
  for (const line of [
    'waypost_build_info{version="0.1.0"} 1',
    'waypost_uptime_seconds 2.5',
    'waypost_mqtt_clients 2',
    'waypost_messages_accepted_total 9',
    'waypost_messages_delivered_total 4',
    'waypost_messages_expired_total 2',
    'waypost_messages_refused_total 1',
    'waypost_mailbox_messages 3',
    'waypost_store_commits_total 5',
    'waypost_store_bytes_total 600',
    'waypost_store_withdrawn_total 3',
    'waypost_store_fsync_seconds 0.0015',
    'waypost_disk_used_bytes 7000',
  ]) {
    t.ok(lines.includes(line), line)
  }
})

t.test(
  'it is the text format of Prometheus: HELP, TYPE, value, and a newline at the end',
  async (t) => {
    const text = metricsText(FIGURES)
    t.ok(text.endsWith('\n'))
    const lines = text.trimEnd().split('\n')
    t.equal(lines.length % 3, 0)
    for (let at = 0; at < lines.length; at += 3) {
      const name = /^# HELP (\w+) \S/.exec(lines[at] ?? '')?.[1] ?? ''
      t.match(lines[at + 1], new RegExp(`^# TYPE ${name} (gauge|counter)$`))
      t.match(lines[at + 2], new RegExp(`^${name}(\\{[^}]*\\})? [0-9.e+-]+$`))
      t.equal(name.endsWith('_total'), (lines[at + 1] ?? '').endsWith('counter'))
    }
  },
)
