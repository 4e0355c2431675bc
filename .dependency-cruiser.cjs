/**
 * The layers of src/, lowest first. A folder may import those listed for it and nothing else of src/.
 * `native` alone imports koffi; `protocol`, `errors` and `journal` import no Node.js module.
 */
const layers = {
  errors: [],
  protocol: ['errors'],
  journal: ['errors'],
  native: ['errors', 'protocol'],
  transport: ['errors', 'protocol', 'native'],
  mount: ['errors', 'native'],
  filesystem: ['errors', 'protocol'],
  passthrough: ['errors', 'protocol', 'journal', 'native', 'transport', 'mount'],
  session: ['errors', 'protocol', 'journal', 'transport', 'filesystem', 'passthrough'],
  recovery: [
    'errors',
    'protocol',
    'journal',
    'native',
    'transport',
    'mount',
    'filesystem',
    'passthrough',
    'session',
  ],
  filesystems: ['errors', 'protocol', 'native', 'filesystem'],
  'kernel-model': ['errors', 'protocol', 'transport'],
  explorer: ['errors', 'protocol', 'kernel-model'],
}

const others = (allowed, folder) => `^src/(?!(${[...allowed, folder].join('|')})/)`

module.exports = {
  forbidden: [
    ...Object.entries(layers).map(([folder, allowed]) => ({
      name: `layer-${folder}`,
      comment: `${folder} may import ${allowed.join(', ') || 'nothing'} of src/`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: others(allowed, folder) },
    })),
    {
      name: 'koffi-only-in-native',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/native/' },
      to: { path: 'koffi' },
    },
    {
      name: 'pure-layers',
      severity: 'error',
      from: { path: '^src/(errors|protocol|journal|filesystem)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'not-to-test',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|bench|conformance|crashpoints|chaos)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
}
