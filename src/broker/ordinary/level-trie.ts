/**
 * Paths of levels (topics, or filters) with a value each, matched level by level: a search costs
 * what it finds, not what is stored. An empty level is a level like any other [MQTT-4.7.1-3], a
 * wildcard in the first one matches no `$` topic [MQTT-4.7.2-1], and `a/#` matches `a` (4.7.1.2).
 */

type Node<Value> = { value: Value | undefined; below: Map<string, Node<Value>> | undefined }

export class LevelTrie<Value extends {}> {
  readonly #root: Node<Value> = { value: undefined, below: undefined }
  #size = 0

  /** How many paths have a value. */
  get size(): number {
    return this.#size
  }

  get(path: string): Value | undefined {
    let node: Node<Value> | undefined = this.#root
    for (const level of path.split('/')) node = node?.below?.get(level)
    return node?.value
  }

  set(path: string, value: Value): void {
    let node = this.#root
    for (const level of path.split('/')) {
      node.below ??= new Map()
      let next = node.below.get(level)
      if (next === undefined) {
        next = { value: undefined, below: undefined }
        node.below.set(level, next)
      }
      node = next
    }
    if (node.value === undefined) this.#size += 1
    node.value = value
  }

  delete(path: string): void {
    if (this.get(path) === undefined) return
    const levels = path.split('/')
    remove(this.#root, levels, 0)
    this.#size -= 1
  }

  /** The values of the stored filters that match a topic. */
  matching(topic: string): Value[] {
    const found: Value[] = []
    const levels = topic.split('/')
    if (topic.startsWith('$')) {
      const node = this.#root.below?.get(levels[0] ?? '')
      if (node !== undefined) collect(node, levels, 1, found)
    } else {
      collect(this.#root, levels, 0, found)
    }
    return found
  }

  /** The values of the stored topics that a filter matches, found one at a time. */
  *matchedBy(filter: string): Generator<Value, void, undefined> {
    const levels = filter.split('/')
    if (levels[0] !== '#' && levels[0] !== '+') return yield* walk(this.#root, levels, 0)
    for (const [name, node] of this.#root.below ?? []) {
      if (name.startsWith('$')) continue
      yield* levels[0] === '#' ? everything(node) : walk(node, levels, 1)
    }
  }
}

/** Whether nothing is left at `node`, so that its parent can forget it. */
function remove<Value>(node: Node<Value>, levels: readonly string[], at: number): boolean {
  const level = levels[at]
  if (level === undefined) {
    node.value = undefined
  } else {
    const next = node.below?.get(level)
    if (next !== undefined && remove(next, levels, at + 1)) node.below?.delete(level)
    if (node.below?.size === 0) node.below = undefined
  }
  return node.value === undefined && node.below === undefined
}

function collect<Value>(
  node: Node<Value>,
  levels: readonly string[],
  at: number,
  found: Value[],
): void {
  const { below } = node
  const rest = below?.get('#')?.value
  if (rest !== undefined) found.push(rest)
  const level = levels[at]
  if (level === undefined) {
    if (node.value !== undefined) found.push(node.value)
    return
  }
  if (below === undefined) return
  const exact = below.get(level)
  if (exact !== undefined) collect(exact, levels, at + 1, found)
  const any = below.get('+')
  if (any !== undefined) collect(any, levels, at + 1, found)
}

function* walk<Value>(
  node: Node<Value>,
  levels: readonly string[],
  at: number,
): Generator<Value, void, undefined> {
  const level = levels[at]
  if (level === undefined) {
    if (node.value !== undefined) yield node.value
  } else if (level === '#') {
    yield* everything(node)
  } else if (level === '+') {
    for (const next of node.below?.values() ?? []) yield* walk(next, levels, at + 1)
  } else {
    const next = node.below?.get(level)
    if (next !== undefined) yield* walk(next, levels, at + 1)
  }
}

function* everything<Value>(node: Node<Value>): Generator<Value, void, undefined> {
  if (node.value !== undefined) yield node.value
  for (const next of node.below?.values() ?? []) yield* everything(next)
}
