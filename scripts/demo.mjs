// The demo: four real BPF objects, one after another, trace the simulated machine through the public command.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const kscope = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const example = (name) => fileURLToPath(new URL(`../examples/${name}.bpf.o`, import.meta.url));

const tools = [
  { name: 'opensnoop', about: 'who opens which file', args: ['--duration', '0.05'] },
  { name: 'biolatency', about: 'how long the disk takes', args: ['--duration', '1', '--workload', 'io'] },
  { name: 'funclatency', about: 'how long vfs_read and vfs_write take', args: ['--duration', '0.5'] },
  { name: 'profile', about: 'where the CPUs spend their time', args: ['--duration', '1', '--workload', 'compile'] },
];

for (const { name, about, args } of tools) {
  const words = ['run', `examples/${name}.bpf.o`, ...args];
  process.stdout.write(`\n# ${about}\n$ kscope ${words.join(' ')}\n`);
  const { status } = spawnSync(process.execPath, [kscope, 'run', example(name), ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
