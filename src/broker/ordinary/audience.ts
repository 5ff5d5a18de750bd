/**
 * Who gets what is published on a topic: every session with a matching filter once, and of each
 * group with a matching shared subscription one member. Looked up in a tree of filters; what was
 * found is remembered until somebody subscribes or unsubscribes.
 */
import { LIMITS } from '../../limits.ts'
import { LevelTrie } from './level-trie.ts'
import { type Grant, grantOf, type Subscription } from './subscription.ts'

export type Recipient<Member> = {
  readonly member: Member
  readonly grant: Grant
  /** For what the member has published itself; `undefined` where No Local keeps it away. */
  readonly ownGrant: Grant | undefined
}

/** A group with a shared subscription. */
export type Share<Member> = {
  readonly members: readonly { readonly member: Member; readonly grant: Grant }[]
  /** How often one was chosen so far: whose turn it is. */
  turn: number
}

export type Found<Member> = {
  readonly recipients: readonly Recipient<Member>[]
  readonly shares: readonly Share<Member>[]
}

/** What one filter has: members by themselves, and by group. */
type Node<Member> = {
  readonly single: Map<Member, Subscription>
  readonly groups: Map<string, Map<Member, Subscription>>
}

export class Audience<Member> {
  readonly #filters = new LevelTrie<Node<Member>>()
  readonly #found = new Map<string, Found<Member>>()
  #size = 0

  /** Subscriptions of all members. */
  get size(): number {
    return this.#size
  }

  /** Adds a subscription, or replaces the member's with that filter and group. */
  set(member: Member, subscription: Subscription): void {
    const { filter, group } = subscription
    const node: Node<Member> = this.#filters.get(filter) ?? { single: new Map(), groups: new Map() }
    this.#filters.set(filter, node)
    const members = group === undefined ? node.single : (node.groups.get(group) ?? new Map())
    if (group !== undefined) node.groups.set(group, members)
    if (!members.has(member)) this.#size += 1
    members.set(member, subscription)
    this.#found.clear()
  }

  delete(member: Member, { filter, group }: Subscription): void {
    const node = this.#filters.get(filter)
    const members = group === undefined ? node?.single : node?.groups.get(group)
    if (node === undefined || members?.delete(member) !== true) return
    this.#size -= 1
    if (group !== undefined && members.size === 0) node.groups.delete(group)
    if (node.single.size === 0 && node.groups.size === 0) this.#filters.delete(filter)
    this.#found.clear()
  }

  of(topic: string): Found<Member> {
    const known = this.#found.get(topic)
    if (known !== undefined) return known
    const found = this.#look(topic)
    if (this.#found.size >= LIMITS.audiencesMax) this.#found.clear()
    this.#found.set(topic, found)
    return found
  }

  #look(topic: string): Found<Member> {
    const nodes = this.#filters.matching(topic)
    const single = nodes.flatMap((node) => [...node.single])
    const recipients = [...Map.groupBy(single, ([member]) => member)].flatMap(([member, found]) =>
      recipientOf(
        member,
        found.map(([, subscription]) => subscription),
      ),
    )
    const shares = nodes.flatMap(({ groups }) => [...groups.values()].map(shareOf))
    return { recipients, shares }
  }
}

function recipientOf<Member>(
  member: Member,
  subscriptions: readonly Subscription[],
): Recipient<Member>[] {
  const grant = grantOf(subscriptions)
  if (grant === undefined) return []
  const open = subscriptions.filter(({ isNoLocal }) => !isNoLocal)
  const ownGrant = open.length === subscriptions.length ? grant : grantOf(open)
  return [{ member, grant, ownGrant }]
}

function shareOf<Member>(members: ReadonlyMap<Member, Subscription>): Share<Member> {
  const granted = [...members].flatMap(([member, subscription]) => {
    const grant = grantOf([subscription])
    return grant === undefined ? [] : [{ member, grant }]
  })
  return { members: granted, turn: 0 }
}
