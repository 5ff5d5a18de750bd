/** A log that keeps what it is told. */
import type { Log, LogLevel } from '../../src/log.ts'

export class KeptLog implements Log {
  readonly lines: { level: LogLevel; fields: object; text: string }[] = []

  debug(fields: object, text: string): void {
    this.lines.push({ level: 'debug', fields, text })
  }

  info(fields: object, text: string): void {
    this.lines.push({ level: 'info', fields, text })
  }

  warn(fields: object, text: string): void {
    this.lines.push({ level: 'warn', fields, text })
  }

  error(fields: object, text: string): void {
    this.lines.push({ level: 'error', fields, text })
  }

  /** The texts of one level. */
  texts(level: LogLevel): string[] {
    return this.lines.filter((line) => line.level === level).map(({ text }) => text)
  }
}
