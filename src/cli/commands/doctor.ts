import { toJson } from '../../export/index.js';
import { parseArgs } from 'node:util';
import { createSim } from '../../host/sim/index.js';
import { BpfMemory, chooseEngine } from '../../runtime/index.js';
import { guestFindings } from '../guest/guest-findings.js';
import type { CliIo } from '../io.js';

/** One line of `kscope doctor`. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

const OPTIONS = { json: { type: 'boolean', short: 'j' } } as const;
const NODE_AT_LEAST = [20, 19] as const;

/** `kscope doctor`: what this machine can do, and why not. Exit code 1 if something that is needed is missing. */
export function doctor(args: readonly string[], io: CliIo): number {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const findings = [node(), memory(), compiler(), sharedMemory(), simulator(), ...guestFindings()];
  for (const finding of findings) {
    if (values.json === true) io.out(toJson(finding));
    else io.out(`${finding.ok ? 'ok  ' : 'FAIL'} ${finding.what}: ${finding.detail}`);
  }
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > NODE_AT_LEAST[0] || (major === NODE_AT_LEAST[0] && minor >= NODE_AT_LEAST[1]);
  return { what: 'node', ok, detail: `${process.versions.node}${ok ? '' : `, needs ${NODE_AT_LEAST.join('.')}`}` };
}

function memory(): Finding {
  try {
    const bpf = new BpfMemory();
    bpf.alloc(1);
    return { what: 'BPF memory', ok: true, detail: 'up to 1 GiB for maps, rings and stacks' };
  } catch (error) {
    return { what: 'BPF memory', ok: false, detail: String(error) };
  }
}

/** Programs run either way, so nothing is missing where they cannot be compiled. */
function compiler(): Finding {
  const { reason } = chooseEngine();
  const detail = reason === undefined ? 'programs are compiled to WebAssembly' : `programs are interpreted: ${reason}`;
  return { what: 'engine jit', ok: true, detail };
}

function sharedMemory(): Finding {
  const there = typeof SharedArrayBuffer === 'function';
  return {
    what: 'shared memory',
    ok: true,
    detail: there ? 'available' : 'not available: consumers stay on one thread',
  };
}

function simulator(): Finding {
  const { arch, cpus, capabilities } = createSim({});
  const can = Object.entries(capabilities)
    .filter(([, able]) => able === true)
    .map(([name]) => name);
  return { what: 'host sim', ok: true, detail: `${arch.name}, ${cpus} CPUs; ${can.join(', ')}` };
}
