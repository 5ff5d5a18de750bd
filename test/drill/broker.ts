/** What a drill or bench needs to know of the broker that it runs, ours or a peer's. */

export type Credential = { readonly name: string; readonly password: string }

export type Address = { readonly host: string; readonly port: number }

export interface Broker {
  readonly name: string
  /**
   * Whether it keeps mail for users: for one without a device yet, and for clean sessions;
   * and sends receipts. Others only hold what a persistent session subscribed to.
   */
  readonly isPostOffice: boolean
  /** Process id while it runs. @throws Error where it does not */
  readonly pid: number
  /** Where the store lies. */
  readonly dataDir: string
  /** Makes users known; called before the first start. */
  addUsers(names: readonly string[]): Promise<Credential[]>
  /** Resolves when clients can connect. @throws Error with the reason where it does not open */
  start(): Promise<Address>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** An orderly stop. */
  stop(): Promise<void>
}
