import { toJson } from '../../export/index.js';
import { parseArgs } from 'node:util';
import type { Host } from '../../host/index.js';
import { explainProbe, listProbes } from '../../machine/index.js';
import { openHost } from '../hosts/open-host.js';
import { parseHostSpec } from '../hosts/host-spec.js';
import type { CliIo } from '../io.js';
import { UsageError } from '../usage-error.js';

const OPTIONS = { why: { type: 'string' }, json: { type: 'boolean', short: 'j' }, host: { type: 'string' } } as const;

/** `kscope list`: the probes the host offers, or with `--why` what is known of one name. */
export async function list(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const spec = parseHostSpec(values.host);
  if (positionals.length > (values.why === undefined ? 1 : 0)) throw new UsageError('list takes GLOB or --why NAME');
  const opened = await openHost({ spec }, io);
  try {
    return listOn(opened.host, positionals[0], values, io);
  } finally {
    opened.close();
  }
}

function listOn(
  host: Host,
  glob: string | undefined,
  values: { readonly why?: string; readonly json?: boolean },
  io: CliIo,
): number {
  if (values.why !== undefined) return why(values.why, values.json === true, host, io);
  for (const probe of listProbes(host, glob)) {
    if (values.json === true) io.out(toJson(probe));
    else if (probe.refused === null) io.out(probe.name);
  }
  return 0;
}

/** Exit code 0 if the name can be probed, 1 if not; the reason is printed either way. */
function why(name: string, json: boolean, host: Host, io: CliIo): number {
  const { probes, missing } = explainProbe(host, name);
  if (missing !== null) {
    io.out(json ? toJson({ kind: null, name, refused: missing }) : `${name}: ${missing}`);
    return 1;
  }
  for (const probe of probes) io.out(json ? toJson(probe) : `${probe.name}: ${probe.refused ?? 'can be probed'}`);
  return probes.some(({ refused }) => refused === null) ? 0 : 1;
}
