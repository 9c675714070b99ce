import { BpfMapType, BpfProgType } from '../../../src/base/index.js';
import { BpfRuntime, type BpfMap, type Engine, type Insn, type MapSpec } from '../../../src/runtime/index.js';
import { TestHost } from '../../../test/support/test-host.js';

/** A map under test and one for results, with one engine. */
export class EngineMaps {
  readonly #runtime: BpfRuntime;
  readonly #maps: readonly BpfMap[];

  constructor(engine: Engine, subject: Pick<MapSpec, 'type' | 'flags' | 'maxEntries'>, resultBytes: number) {
    this.#runtime = new BpfRuntime(new TestHost({ cpus: 2 }), { engine });
    const common = { keySize: 4, valueSize: 8, flags: 0, keyTypeId: 0, valueTypeId: 0 };
    this.#maps = [
      this.#runtime.createMap({ ...common, ...subject, name: 'subject' }),
      this.#runtime.createMap({
        ...common,
        name: 'results',
        type: BpfMapType.BPF_MAP_TYPE_ARRAY,
        valueSize: resultBytes,
        maxEntries: 1,
      }),
    ];
  }

  /** What a program returns and leaves in the maps, as text. */
  run(insns: readonly Insn[]): Record<string, string> {
    const program = this.#runtime.loadProgram({
      name: 'maps',
      type: BpfProgType.BPF_PROG_TYPE_XDP,
      expectedAttachType: 0,
      license: 'GPL',
      insns,
      maps: this.#maps,
    });
    const { retval } = this.#runtime.testRun(program, { dataIn: new Uint8Array(64), cpu: 1 });
    program.release();
    const [subject, results] = this.#maps.map(dump);
    return { retval: retval.toString(), subject, results };
  }
}

function dump(map: BpfMap): string {
  const entries: string[] = [];
  for (let key = map.sysNextKey(null); typeof key !== 'number'; key = map.sysNextKey(key)) {
    const value = map.sysLookup(key);
    entries.push(
      `${Buffer.from(key).toString('hex')}=${typeof value === 'number' ? value : Buffer.from(value).toString('hex')}`,
    );
  }
  return entries.join(' ');
}
