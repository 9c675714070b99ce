// Feeds corrupt objects to the loader and tells how it fared. Run by mutation.test.ts, on the built package, as
//   node --expose-gc mutation-child.mjs SEED FIRST COUNT
// Object i of a seed is the same in every run, so that a failure can be repeated with FIRST = i, COUNT = 1.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BpfError } from '../../dist/base/index.js';
import { decodeValue, parseBtf } from '../../dist/btf/index.js';
import { CollectionSpec, Linker, linkObjects } from '../../dist/loader/index.js';
import { mutate, Random } from './mutate.mjs';

const testdata = fileURLToPath(new URL('../../test/testdata/', import.meta.url));
const folder = join(testdata, 'objects');
const objects = ['', 'assembled', 'big-endian', 'legacy', 'linked'].flatMap((part) =>
  readdirSync(join(folder, part))
    .filter((name) => name.endsWith('.o'))
    .toSorted()
    .map((name) => readFileSync(join(folder, part, name))),
);
const library = readFileSync(join(folder, 'linked', 'library.o'));
const targets = ['linux-min', 'target', 'target-big-endian'].map((name) =>
  readFileSync(join(testdata, 'btf', `${name}.btf`)),
);
const goodTargets = targets.map((bytes) => parseBtf(bytes));

const [seed, first, count] = process.argv.slice(2).map(Number);
const report = {
  parsed: 0,
  linked: 0,
  statically: 0,
  refused: 0,
  slowest: { index: -1, ms: 0 },
  peakGrowthMiB: 0,
  growthMiB: 0,
  violations: [],
};

/** Everything one can do with an object's bytes alone: all of it must end in an answer or a BpfError. */
function examineObject(bytes, target) {
  const spec = CollectionSpec.parse(bytes);
  report.parsed++;
  for (const variable of spec.variables.values()) attempt(() => variable.get());
  for (const map of spec.maps) attempt(() => spec.changeMap(map.name, { valueSize: map.valueSize + 8 }));
  const linker = new Linker(spec, { btf: target });
  for (const program of spec.programs) {
    attempt(() => {
      linker.link(program);
      report.linked++;
    });
  }
}

/** A corrupt object linked with an intact one, in either order. */
function examineLinking(bytes, isFirst) {
  const pair = [
    { name: 'corrupt', bytes },
    { name: 'library', bytes: library },
  ];
  examineObject(linkObjects(isFirst ? pair : pair.toReversed()), goodTargets[0]);
  report.statically++;
}

function examineBtf(bytes, random) {
  const btf = parseBtf(bytes);
  for (const type of btf) {
    attempt(() => btf.sizeOf(type.id));
    attempt(() => btf.alignmentOf(type.id));
    attempt(() => decodeValue(btf, type.id, new Uint8Array(256)));
    attempt(() => btf.member(type.id, 'a.b[1]'));
    btf.findByName(type.name);
  }
  examineObject(objects[random.below(objects.length)], btf);
}

/** Steps that take this long are timed anew, since other processes may have had the processor meanwhile. */
const LONG_MS = 500;
let isAnew = false;

/** Processor time of a step that is repeated. */
function spent(index) {
  if (isAnew) return 0;
  isAnew = true;
  const started = process.cpuUsage();
  step(index);
  isAnew = false;
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000;
}

let current = -1;

function attempt(action) {
  try {
    action();
  } catch (error) {
    report.refused++;
    const reason = complaint(error);
    if (reason !== undefined && report.violations.length < 10) report.violations.push({ index: current, reason });
  }
}

/** What is wrong with an error, if anything. */
function complaint(error) {
  if (!(error instanceof BpfError)) return `${error?.stack ?? error}`;
  const { section, offset, value, remedy, cause } = error.detail;
  if (cause !== undefined) return complaint(cause);
  const lacking = [
    section === undefined && 'section',
    offset === undefined && value === undefined && 'offset or value',
    remedy === undefined && 'remedy',
  ];
  const missing = lacking.filter((field) => field !== false);
  return missing.length === 0 ? undefined : `lacks ${missing.join(', ')}: ${error.message}`;
}

function step(index) {
  current = index;
  const random = new Random((seed + 1) * 0x9e3779b1 + index);
  const started = performance.now();
  if (index % 6 === 5) attempt(() => examineBtf(mutate(targets[random.below(3)], objects[0], random), random));
  else if (index % 6 === 4)
    attempt(() =>
      examineLinking(
        mutate(objects[random.below(objects.length)], objects[random.below(objects.length)], random),
        random.below(2) === 0,
      ),
    );
  else
    attempt(() =>
      examineObject(
        mutate(objects[random.below(objects.length)], objects[random.below(objects.length)], random),
        goodTargets[random.below(3)],
      ),
    );
  // Asking for processor time takes long itself, and it is no more than the time that has passed.
  const passed = performance.now() - started;
  const ms = passed < LONG_MS ? passed : spent(index);
  if (ms > report.slowest.ms) report.slowest = { index, ms };
}

const MiB = 1 << 20;
const warmUp = Math.min(500, count);
for (let i = first; i < first + warmUp; i++) step(i);
globalThis.gc();
const baseline = process.memoryUsage.rss();
for (let i = first + warmUp; i < first + count; i++) {
  step(i);
  if (i % 100 !== 0) continue;
  report.peakGrowthMiB = Math.max(report.peakGrowthMiB, (process.memoryUsage.rss() - baseline) / MiB);
  // After the reading, which so holds the garbage of 100 objects but not of all before them.
  globalThis.gc();
  process.send?.(i);
}
globalThis.gc();
report.growthMiB = (process.memoryUsage.rss() - baseline) / MiB;
if (process.send) process.send(report, () => process.disconnect());
else console.log(JSON.stringify(report, null, 1));
