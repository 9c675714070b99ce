// Takes the BPF objects out of Debian's libbpf-tools, which carries them inside of its programs.
//   node scripts/fetch-libbpf-tools.mjs [--refresh]
// The package comes through this machine's apt into .cache/oracle/libbpf-tools, without root; the objects lie in objects/ there.
// What was fetched before is not fetched again. Needs dist/, which npm install builds.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AptArchive, debianMirror } from '../dist/cli/guest/apt-archive.js';
import { fetchPackage } from '../dist/cli/guest/fetch-guest.js';
import { guestArch } from '../dist/cli/guest/guest-arch.js';
import { StepReporter } from '../dist/cli/guest/steps.js';
import { namedObjects } from './bpf-objects.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const home = join(root, '.cache/oracle/libbpf-tools');
const unpacked = join(home, 'libbpf-tools');
const objects = join(home, 'objects');
const steps = new StepReporter((line) => console.error(line));

if (process.argv.includes('--refresh') || !existsSync(unpacked)) {
  const archive = new AptArchive(guestArch('x86_64'), join(home, 'apt'), await debianMirror());
  await steps.run(`package lists of ${archive.name}`, (progress) => archive.update(progress));
  await fetchPackage(archive, 'libbpf-tools', ['./usr/sbin', './usr/bin'], home, steps);
}

// The objects appear all at once: whoever finds the folder finds all of them.
const scratch = `${objects}.${process.pid}`;
mkdirSync(scratch, { recursive: true });
const named = namedObjects(programsIn(unpacked));
for (const { name, object } of named) writeFileSync(join(scratch, `${name}.bpf.o`), object);
rmSync(objects, { recursive: true, force: true });
renameSync(scratch, objects);
console.log(`${named.length} objects in ${objects}`);

/** The package's programs in the order of their names. Links are other names of the same program. */
function programsIn(folder) {
  return ['usr/bin', 'usr/sbin']
    .map((each) => join(folder, each))
    .filter((each) => existsSync(each))
    .flatMap((each) => readdirSync(each).map((name) => ({ name, path: join(each, name) })))
    .filter(({ path }) => lstatSync(path).isFile())
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, path }) => ({ name, bytes: readFileSync(path) }));
}
