// The demo: four real BPF objects, one after another, trace the simulated machine through the public command.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const steps = JSON.parse(readFileSync(new URL('demo.json', import.meta.url), 'utf8'));

for (const { about, args } of steps) {
  process.stdout.write(`\n# ${about}\n$ kscope ${args.join(' ')}\n`);
  const { status } = spawnSync(process.execPath, ['dist/cli/main.js', ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
