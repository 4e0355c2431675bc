/** What the parts that ran in the machine come to: one object for machines, and what is not as it should be. */

/** What the probe and the drill must find on a variant. */
const expected = {
  'inode-cache': {
    probe: { passthrough: true, inodeCache: true, inodeCompare: false, resend: true, closeAll: true },
    drill: { strategy: 'inode cache', naiveReopen: 'EIO', journalReopen: 'ok', inodeCacheReopen: 'ok' },
  },
  'inode-compare': {
    probe: { passthrough: true, inodeCache: false, inodeCompare: true, resend: true, closeAll: false },
    drill: { strategy: 'inode compare', naiveReopen: 'ok', inodeCacheReopen: 'unsupported' },
  },
  released: {
    probe: { passthrough: true, inodeCache: false, inodeCompare: false, resend: true, closeAll: false },
    drill: { strategy: 'journal', naiveReopen: 'EIO', journalReopen: 'ok', inodeCacheReopen: 'unsupported' },
  },
}

const CLEAN_DRILL = { clientErrors: 0, dataErrors: 0, leakedBackingIds: 0, leftMounted: 0 }

/** `reports`: one object for each part, as linux/guest.mjs wrote them. */
export function judge(variant, parts, reports) {
  const of = (part) => reports.find((report) => report.part === part)
  const problems = []
  for (const part of parts) {
    const report = of(part)
    if (report === undefined) problems.push(`${part}: no report`)
    else if (report.failure !== undefined) problems.push(`${part}: ${report.failure}`)
  }
  const { probe } = of('probe') ?? {}
  const { drill } = of('drill') ?? {}
  if (probe !== undefined) problems.push(...differences('probe', probe, expected[variant].probe))
  if (drill !== undefined) {
    if (drill.failure !== undefined) problems.push(`drill: ${drill.failure}`)
    else problems.push(...differences('drill', drill, { ...expected[variant].drill, ...CLEAN_DRILL }))
  }
  const { opens } = of('opens') ?? {}
  if (opens !== undefined && Object.keys(opens.errors ?? { failed: 1 }).length > 0) {
    problems.push(`opens at the same time: ${opens.failure ?? JSON.stringify(opens.errors)}`)
  }
  const tests = of('tests')
  if (tests !== undefined && tests.failure === undefined) {
    if (tests.passed === 0) problems.push('tests: none passed')
    for (const { file, test = '', message } of tests.failures) problems.push(`${file} ${test}: ${message}`)
  }
  const { status = 0, conformance, ...none } = of('conformance') ?? {}
  if (conformance?.failure !== undefined) problems.push(`conformance: ${conformance.failure}`)
  else if (status !== 0) problems.push(`conformance: exit status ${status}`)
  const { scenarios = 0, random = 0, mismatches = 0 } = conformance ?? none
  if (mismatches !== 0) problems.push(`conformance: ${mismatches} mismatches`)
  const summary = {
    kernel: of('kernel')?.kernel ?? null,
    probe: probe ?? null,
    naiveReopen: drill?.naiveReopen ?? null,
    inodeCacheReopen: drill?.inodeCacheReopen ?? null,
    scenarios: scenarios + random,
    mismatches,
    variant,
    strategy: drill?.strategy ?? null,
    tests: tests === undefined ? null : pick(tests, ['passed', 'failed', 'skipped']),
  }
  return { summary, problems }
}

function differences(what, found, wanted) {
  return Object.entries(wanted)
    .filter(([name, value]) => found[name] !== value)
    .map(
      ([name, value]) => `${what}: ${name} is ${JSON.stringify(found[name])}, not ${JSON.stringify(value)}`,
    )
}

const pick = (object, names) => Object.fromEntries(names.map((name) => [name, object[name]]))
