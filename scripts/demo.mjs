// The demo: real BPF objects, one after another, trace the simulated machine through the public command: four of them, or with
// --all every tool of examples/.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const steps = JSON.parse(readFileSync(new URL('demo.json', import.meta.url), 'utf8'));

const shown = process.argv.includes('--all') ? steps : steps.slice(0, 4);

for (const { about, args } of shown) {
  process.stdout.write(`\n# ${about}\n$ kscope ${args.join(' ')}\n`);
  const { status } = spawnSync(process.execPath, ['dist/cli/main.js', ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
