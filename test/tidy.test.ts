/**
 * The shape of the code as a test: which folder may import which, which packages have one folder,
 * how long a file may be, that every source has its test, and that nothing is left lying about.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '..')

/** Lowest layer first; a file imports only from a lower layer or from its own folder. */
const LAYERS: readonly (readonly string[])[] = [
  ['errors.ts', 'limits.ts', 'clock.ts', 'ids.ts', 'printable.ts', 'log.ts', 'version.ts'],
  ['message'],
  ['store', 'config', 'tls'],
  ['journal'],
  ['mailbox', 'roster'],
  ['delivery'],
  ['broker', 'http', 'control'],
  ['office.ts', 'problems.ts'],
  ['relay.ts'],
  ['cli'],
  ['main.ts'],
]

/** Packages that only one folder may know. */
const OWNERS: Readonly<Record<string, string>> = {
  aedes: 'broker',
  '@peculiar/x509': 'tls',
  'reflect-metadata': 'tls',
  hono: 'http',
  '@hono/node-server': 'http',
  level: 'store',
  pino: 'log.ts',
  ws: 'broker',
  yaml: 'config',
}

const LINES_MAX = 400
/** Files that hold nothing but types have nothing to test. */
const TYPES_ONLY = new Set([
  'delivery/port.ts',
  'control/parts.ts',
  'cli/relay-face.ts',
  'broker/connection-owner.ts',
])
/** The parts that speak to the world by design; everybody else is handed time, chance and disk. */
const MAY_USE_WORLD = new Set(['clock.ts', 'ids.ts', 'main.ts'])

const sources = files(join(ROOT, 'src')).filter((path) => path.endsWith('.ts'))
const tests = files(join(ROOT, 'test')).filter((path) => path.endsWith('.ts'))

t.test('a file imports only from lower layers and its own folder', async (t) => {
  for (const path of sources) {
    for (const target of localImports(path)) {
      const [from, to] = [home(path), home(target)]
      if (from === to) continue
      const isLower = layerOf(to) < layerOf(from)
      const isSameFloorOfFiles =
        layerOf(to) === layerOf(from) && from.endsWith('.ts') && to.endsWith('.ts')
      t.ok(isLower || isSameFloorOfFiles, `${path} imports ${target}`)
    }
  }
})

t.test('every file has a place in the layers', async (t) => {
  for (const path of sources) t.ok(layerOf(home(path)) >= 0, path)
})

t.test('a package that has an owner is known to its folder alone', async (t) => {
  for (const path of sources) {
    for (const name of packageImports(path)) {
      const owner = OWNERS[name]
      if (owner !== undefined) t.equal(home(path), owner, `${path} imports ${name}`)
    }
  }
})

t.test(
  'every package that is imported is declared, and every declared one is imported',
  async (t) => {
    const declared = Object.keys(packageJson().dependencies)
    const used = new Set(sources.flatMap(packageImports))
    for (const name of used) t.ok(declared.includes(name), `${name} is declared`)
    for (const name of declared) t.ok(used.has(name), `${name} is used`)
  },
)

t.test('every dependency has a line in docs/DEPENDENCIES.md', async (t) => {
  const { dependencies, optionalDependencies, devDependencies } = packageJson()
  const text = readFileSync(join(ROOT, 'docs/DEPENDENCIES.md'), 'utf8')
  for (const name of Object.keys({
    ...dependencies,
    ...optionalDependencies,
    ...devDependencies,
  })) {
    t.ok(text.includes(`\`${name}\``), name)
  }
})

t.test('no file is too long, has a vague name or is a barrel', async (t) => {
  for (const path of [
    ...sources.map((path) => `src/${path}`),
    ...tests.map((path) => `test/${path}`),
  ]) {
    const lines = readFileSync(join(ROOT, path), 'utf8').split('\n').length
    t.ok(lines <= LINES_MAX, `${path} has ${lines} lines`)
    t.notMatch(path, /(^|\/)(index|utils?|helpers?|common|manager|misc)(\.|\/)/, path)
  }
})

t.test('every source file has a test twin', async (t) => {
  for (const path of sources) {
    if (TYPES_ONLY.has(path)) continue
    t.ok(
      tests.includes(path.replace(/\.ts$/, '.test.ts')),
      `test/${path.replace(/\.ts$/, '.test.ts')}`,
    )
  }
})

t.test('time, chance and timers come in as arguments', async (t) => {
  const world = /\b(Date\.now|Math\.random|setTimeout|setInterval|performance\.now|randomUUID)\s*\(/
  for (const path of sources) {
    if (!MAY_USE_WORLD.has(path)) t.notMatch(code(path), world, path)
  }
})

t.test('nothing is left lying about', async (t) => {
  for (const path of sources) {
    const text = readFileSync(join(ROOT, 'src', path), 'utf8')
    t.notMatch(text, /\b(TODO|FIXME|XXX|HACK)\b/, path)
    t.notMatch(text, /\bexport default\b/, path)
    t.match(text, /^\/\*\*/, `${path} begins with what it is for`)
  }
  for (const path of tests) {
    const text = readFileSync(join(ROOT, 'test', path), 'utf8')
    if (path !== 'tidy.test.ts') t.notMatch(text, /\.(only|todo)\(|\b(only|todo): true/, path)
  }
})

type PackageJson = {
  dependencies: Record<string, string>
  optionalDependencies: Record<string, string>
  devDependencies: Record<string, string>
}

function packageJson(): PackageJson {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson
}

/** All files below a folder, relative to it. */
function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('.tap/') && !path.includes('tap-testdir'))
}

/** The folder of a file right below src/, or the file itself. */
function home(path: string): string {
  return path.split('/')[0] ?? path
}

function layerOf(place: string): number {
  return LAYERS.findIndex((layer) => layer.includes(place))
}

/** A source without its comments. */
function code(path: string): string {
  const text = readFileSync(join(ROOT, 'src', path), 'utf8')
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

function imports(path: string): string[] {
  const text = code(path)
  const found = text.matchAll(
    /^(?:import|export)\s(?:[^'";]*from\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm,
  )
  return [...found].map((match) => match[1] ?? match[2] ?? '')
}

function localImports(path: string): string[] {
  return imports(path)
    .filter((target) => target.startsWith('.') && target.endsWith('.ts'))
    .map((target) => relative(join(ROOT, 'src'), join(ROOT, 'src', path, '..', target)))
}

function packageImports(path: string): string[] {
  return imports(path)
    .filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
    .map((target) =>
      target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/'),
    )
}
