/** Performs operations by name: checks the input, and answers a change only once it is durable. */
import type { Static } from 'typebox'
import Schema from 'typebox/schema'
import { RelayError } from '../errors.ts'
import { shown } from '../message/names.ts'
import type { OperationParts } from './parts.ts'
import { OPERATIONS } from './table.ts'

type Table = typeof OPERATIONS
export type OperationName = keyof Table
export type OperationInput<Name extends OperationName> = Static<Table[Name]['input']>
export type OperationResult<Name extends OperationName> = Awaited<ReturnType<Table[Name]['run']>>

/** How the command line asks, whoever performs it. */
export type Perform = <Name extends OperationName>(
  name: Name,
  input: OperationInput<Name>,
) => Promise<OperationResult<Name>>

export class Operations {
  readonly #parts: OperationParts
  #lastChange: Promise<unknown> = Promise.resolve()

  constructor(parts: OperationParts) {
    this.#parts = parts
  }

  /**
   * Changes are performed one after another, in the order asked.
   * @throws BAD_REQUEST for an unknown operation or a wrong input
   * @throws what the operation itself refuses with
   */
  async perform(name: string, input: unknown): Promise<unknown> {
    const operation = operationOf(name)
    if (!Schema.Check(operation.input, input)) {
      const [first] = Schema.Errors(operation.input, input)[1]
      const why = `${first?.instancePath ?? ''} ${first?.message ?? ''}`.trim()
      throw new RelayError('BAD_REQUEST', `operation ${name}: its input ${why}`)
    }
    if (!operation.isChange) return operation.run(this.#parts, input)
    const change = this.#lastChange.then(() => operation.run(this.#parts, input))
    this.#lastChange = change.catch(() => undefined)
    const result = await change
    await this.#parts.durable()
    return result
  }
}

type AnyOperation = {
  readonly input: Table[OperationName]['input']
  readonly isChange: boolean
  run(parts: OperationParts, input: unknown): Promise<unknown>
}

function operationOf(name: string): AnyOperation {
  if (Object.hasOwn(OPERATIONS, name)) return OPERATIONS[name as OperationName] as AnyOperation
  const names = Object.keys(OPERATIONS).join(', ')
  throw new RelayError('BAD_REQUEST', `operation ${shown(name)} is unknown; ${names} are known`)
}
