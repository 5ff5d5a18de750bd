/**
 * The table of operations: what each takes and does. A running relay offers it on its admin
 * socket; where none runs, the command line performs it on the store itself.
 */
import Type, { type Static, type TSchema } from 'typebox'
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'
import { deviceId, messageId, shown, thingId, userId } from '../message/names.ts'
import type { User } from '../roster/person.ts'
import type { OperationParts } from './parts.ts'
import { deviceRow, thingRow, userRow } from './rows.ts'

type Operation<Input extends TSchema, Result> = {
  readonly input: Input
  /** Whether the answer has to wait until what was done is on disk. */
  readonly isChange: boolean
  /** `input` has passed the schema. */
  run(parts: OperationParts, input: Static<Input>): Promise<Result>
}

const STRICT = { additionalProperties: false }
const NOTHING = Type.Object({}, STRICT)
const ID = Type.Object({ id: Type.String() }, STRICT)
const DEVICE = Type.Object({ user: Type.String(), device: Type.String() }, STRICT)
const PASSWORD = Type.Object({ id: Type.String(), password: Type.Optional(Type.String()) }, STRICT)
const NEW_USER = Type.Object(
  {
    id: Type.String(),
    password: Type.Optional(Type.String()),
    isAdmin: Type.Boolean(),
  },
  STRICT,
)
const FILTER = Type.Object(
  {
    user: Type.Optional(Type.String()),
    id: Type.Optional(Type.String()),
    status: Type.Optional(Type.Enum(['queued', 'stored', 'delivered', 'read', 'expired'])),
    sinceMs: Type.Optional(Type.Number()),
    untilMs: Type.Optional(Type.Number()),
    limit: Type.Integer({ minimum: 1, maximum: LIMITS.listedMax }),
  },
  STRICT,
)

/** An operation that answers at once. */
function reads<Input extends TSchema, Result>(
  input: Input,
  run: (parts: OperationParts, input: Static<Input>) => Promise<Result>,
): Operation<Input, Result> {
  return { input, isChange: false, run }
}

/** An operation whose answer means "on disk". */
function changes<Input extends TSchema, Result>(
  input: Input,
  run: (parts: OperationParts, input: Static<Input>) => Promise<Result>,
): Operation<Input, Result> {
  return { input, isChange: true, run }
}

export const OPERATIONS = {
  'user.add': changes(NEW_USER, ({ roster }, { id, ...options }) =>
    roster.addUser(userId(id), options),
  ),
  'user.list': reads(NOTHING, async ({ roster }) => roster.users().map(userRow)),
  'user.show': reads(ID, async ({ roster }, { id }) => {
    const user = found(roster.user(userId(id)), id)
    return { ...userRow(user), presence: user.presence, devices: deviceRows(user) }
  }),
  'user.remove': changes(ID, async ({ roster, post }, { id }) => {
    const user = userId(id)
    // From here on nothing new is taken for the user, so what waits can be ended for good.
    roster.removeUser(user)
    post.disconnectUser(user)
    await post.userRemoved(user)
    return { id }
  }),
  'user.passwd': changes(PASSWORD, async ({ roster, post }, { id, password }) => {
    const user = userId(id)
    const account = await roster.setPassword(user, password)
    // Who knew the old password is not to stay.
    post.disconnectUser(user)
    return account
  }),
  'thing.add': changes(PASSWORD, ({ roster }, { id, password }) =>
    roster.addThing(thingId(id), password),
  ),
  'thing.list': reads(NOTHING, async ({ roster }) => roster.things().map(thingRow)),
  'thing.remove': changes(ID, async ({ roster, post }, { id }) => {
    const thing = thingId(id)
    roster.removeThing(thing)
    await post.thingRemoved(thing)
    return { id }
  }),
  'device.list': reads(ID, async ({ roster }, { id }) =>
    deviceRows(found(roster.user(userId(id)), id)),
  ),
  'device.revoke': changes(DEVICE, async ({ roster, post }, input) => {
    const [user, device] = [userId(input.user), deviceId(input.device)]
    roster.revoke(user, device)
    await post.deviceRevoked(user, device)
    return input
  }),
  'device.allow': changes(DEVICE, async ({ roster }, input) => {
    roster.allow(userId(input.user), deviceId(input.device))
    return input
  }),
  'message.list': reads(FILTER, ({ post }, { user, id, ...rest }) =>
    post.list({
      ...rest,
      ...(user === undefined ? {} : { user: userId(user) }),
      ...(id === undefined ? {} : { id: messageId(id) }),
    }),
  ),
  'message.trace': reads(ID, async ({ post }, { id }) => {
    const [first, ...others] = await post.trace(messageId(id))
    if (first !== undefined) return others.length === 0 ? first : { ...first, others }
    throw new RelayError(
      'NOT_FOUND',
      `no message ${id} is known here: it never came, or is listed no longer`,
    )
  }),
  status: reads(NOTHING, async (parts) => {
    const { relay, version, uptimeMs, clients, ...rest } = await parts.condition()
    return { relay, version, uptimeMs, clients, messages: parts.post.counts(), ...rest }
  }),
} as const

function found(user: User | undefined, id: string): User {
  if (user !== undefined) return user
  throw new RelayError('NOT_FOUND', `there is no user ${shown(id)}: user list shows them`)
}

function deviceRows(user: User) {
  return [...user.devices.values()].map(deviceRow)
}
