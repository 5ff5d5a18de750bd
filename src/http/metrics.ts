/** What `/metrics` shows, in the text format of Prometheus (version 0.0.4). */

export type Figures = {
  readonly version: string
  readonly clients: number
  readonly messages: {
    readonly accepted: number
    readonly delivered: number
    readonly queued: number
    readonly expired: number
    readonly refused: number
  }
  readonly commits: number
  readonly committedBytes: number
  readonly withdrawn: number
  readonly fsyncMs: number
  readonly diskUsedBytes: number
  readonly uptimeMs: number
}

type Metric = readonly [name: string, type: 'gauge' | 'counter', help: string, value: number]

/** One text, each metric with its help and type. */
export function metricsText(figures: Figures): string {
  const { messages } = figures
  const metrics: Metric[] = [
    ['waypost_uptime_seconds', 'gauge', 'Time since the start', figures.uptimeMs / 1000],
    ['waypost_mqtt_clients', 'gauge', 'Clients that are signed in', figures.clients],
    ['waypost_messages_accepted_total', 'counter', 'Messages accepted', messages.accepted],
    [
      'waypost_messages_delivered_total',
      'counter',
      'Messages all devices have',
      messages.delivered,
    ],
    [
      'waypost_messages_expired_total',
      'counter',
      'Messages that were not in time',
      messages.expired,
    ],
    ['waypost_messages_refused_total', 'counter', 'Messages refused', messages.refused],
    ['waypost_mailbox_messages', 'gauge', 'Messages that wait', messages.queued],
    ['waypost_store_commits_total', 'counter', 'Commits since the start', figures.commits],
    [
      'waypost_store_bytes_total',
      'counter',
      'Bytes committed since the start',
      figures.committedBytes,
    ],
    [
      'waypost_store_withdrawn_total',
      'counter',
      'Messages all devices had before their commit: never written',
      figures.withdrawn,
    ],
    ['waypost_store_fsync_seconds', 'gauge', 'Running mean of a commit', figures.fsyncMs / 1000],
    ['waypost_disk_used_bytes', 'gauge', 'Size of the store', figures.diskUsedBytes],
  ]
  const info = `# HELP waypost_build_info Version of the relay\n# TYPE waypost_build_info gauge\nwaypost_build_info{version="${figures.version}"} 1\n`
  return info + metrics.map(metricLines).join('')
}

function metricLines([name, type, help, value]: Metric): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`
}
