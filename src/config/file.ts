/** A configuration file's settings, each with the line it stands on. */
import { isMap, isScalar, type ParsedNode, type YAMLMap } from 'yaml'
import { RelayError } from '../errors.ts'
import { shown } from '../message/names.ts'
import { complaintAbout, invalid, type Setting, type Settings } from './check.ts'
import { isKeyPath, KEY_PATHS, type KeyPath } from './keys.ts'
import { nearest } from './nearest.ts'
import { offsetOf, readYaml, type YamlFile } from './yaml.ts'

/**
 * Reads the settings of a file.
 * @param name what errors and origins call the file
 * @throws CONFIG_INVALID for what is not YAML, and for an unknown or ill-typed key
 */
export function readFileSettings(name: string, content: string): Settings {
  const file = readYaml(name, content)
  return new Map(
    file.root === null || isEmpty(file.root) ? [] : sectionSettings(file, file.root, ''),
  )
}

/** The settings of a map: the file's own with the prefix `''`, or that of `mqtt` with `mqtt.`. */
function* sectionSettings(
  file: YamlFile,
  section: ParsedNode,
  prefix: string,
): Generator<[KeyPath, Setting]> {
  if (!isMap(section)) throw notSection(file.placeAt(section.range[0]), prefix)
  for (const { key, value } of (section as YAMLMap.Parsed).items) {
    const name = isScalar(key) ? String(key.value) : ''
    const path = prefix + name
    const place = file.placeAt(key.range[0])
    if (name.includes('.')) throw unknownKey(place, prefix, name)
    if (isKeyPath(path)) yield [path, { value: checkedValue(file, path, value), origin: place }]
    else if (namesUnder(`${path}.`).length === 0) throw unknownKey(place, prefix, name)
    else if (value !== null && !isEmpty(value)) yield* sectionSettings(file, value, `${path}.`)
  }
}

function checkedValue(file: YamlFile, path: KeyPath, node: ParsedNode | null): unknown {
  const value: unknown = node === null ? null : node.toJSON()
  const complaint = complaintAbout(path, value)
  if (complaint === undefined) return value
  throw invalid(file.placeAt(offsetOf(node, complaint.steps)), path, complaint)
}

/** Nothing at all: a section, or a file, whose keys are all commented out. */
function isEmpty(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null
}

/** The next part of every key below a prefix that ends in a dot, or is empty. */
function namesUnder(prefix: string): string[] {
  const below = KEY_PATHS.filter((path) => path.startsWith(prefix))
  return [...new Set(below.map((path) => path.slice(prefix.length).split('.')[0] ?? ''))]
}

function notSection(place: string, prefix: string): RelayError {
  const where = prefix === '' ? '' : `${prefix.slice(0, -1)}: `
  return new RelayError(
    'CONFIG_INVALID',
    `${place}: ${where}only keys and their values are allowed: ${namesUnder(prefix).join(', ')}`,
  )
}

function unknownKey(place: string, prefix: string, name: string): RelayError {
  const names = namesUnder(prefix)
  const meant = nearest(name, names)
  const hint = meant === undefined ? '' : ` (did you mean ${prefix}${meant}?)`
  const where = prefix === '' ? 'here' : `in ${prefix.slice(0, -1)}`
  return new RelayError(
    'CONFIG_INVALID',
    `${place}: ${shown(prefix + name)} is no key${hint}; ${names.join(', ')} are allowed ${where}`,
  )
}
