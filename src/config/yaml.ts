/**
 * The YAML that configuration files are written in: version 1.2, core schema, one document,
 * unique keys, no aliases, no tags of its own. Knows on which line everything stands.
 */
import {
  type Document,
  isCollection,
  isNode,
  LineCounter,
  type ParsedNode,
  parseDocument,
  visit,
} from 'yaml'
import { RelayError } from '../errors.ts'

export type YamlFile = {
  /** `null` for an empty file. */
  readonly root: ParsedNode | null
  /** `name:line` of what begins at this offset. */
  readonly placeAt: (offset: number) => string
}

/**
 * @param name what errors call the file
 * @throws CONFIG_INVALID
 */
export function readYaml(name: string, content: string): YamlFile {
  const lines = new LineCounter()
  const placeAt = (offset: number) => `${name}:${lines.linePos(offset).line}`
  const document = parsed(name, content, lines)
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined) throw notYaml(placeAt(problem.pos[0]), problem.message)
  const alias = firstAlias(document)
  // An alias can make a small file big, and the line of an error wrong.
  if (alias !== undefined) throw notYaml(placeAt(alias), 'write the value itself, not an alias')
  return { root: document.contents, placeAt }
}

function parsed(name: string, content: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(content, {
      lineCounter,
      prettyErrors: false,
      schema: 'core',
      merge: false,
      resolveKnownTags: false,
      stringKeys: true,
      uniqueKeys: true,
      logLevel: 'error',
    })
  } catch (error) {
    // The parser recurses: a file of nothing but brackets ends its stack.
    throw notYaml(`${name}:1`, error instanceof Error ? error.message : 'unreadable')
  }
}

/** The offset of the first alias. */
function firstAlias(document: Document.Parsed): number | undefined {
  let offset: number | undefined
  visit(document, {
    Alias(_, alias) {
      offset = alias.range?.[0]
      return visit.BREAK
    },
  })
  return offset
}

function notYaml(place: string, why: string): RelayError {
  return new RelayError('CONFIG_INVALID', `${place}: not the YAML that is allowed here: ${why}`)
}

/** Where the part of `node` at `steps` begins; where there is none, the part that it misses from. */
export function offsetOf(node: ParsedNode | null, steps: readonly (string | number)[]): number {
  let at: unknown = node
  let offset = node?.range[0] ?? 0
  for (const step of steps) {
    at = isCollection(at) ? at.get(step, true) : undefined
    if (isNode(at)) offset = at.range?.[0] ?? offset
  }
  return offset
}
