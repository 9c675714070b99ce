import { BpfError } from '../../base/index.js';
import { whyNoFunction } from '../../host/index.js';
import { type BpfProgram, ContextSlots, type Runtime } from '../../runtime/index.js';
import type { KprobeRegistry } from '../kprobe-registry.js';
import type { KretprobeRegistry } from '../kretprobe-registry.js';
import { errorInjectable } from './error-injection.js';
import { functionModel, MAX_ARG_WORDS } from './function-model.js';
import {
  FunctionTrampoline,
  type TrampolineKind,
  type TrampolineLink,
  type TrampolineOptions,
  type TrampolineParts,
} from './function-trampoline.js';

const NOT_MODIFIABLE =
  'only security_ hooks and functions that the kernel lists for error injection may be made to fail';
const NOT_SLEEPABLE =
  'programs that may sleep stand on security_ hooks and functions that the kernel lists for error injection';

/** The functions of one host that fentry, fexit and fmod_ret programs stand on. */
export class Trampolines {
  readonly #parts: TrampolineParts;
  readonly #functions = new Map<bigint, FunctionTrampoline>();
  #mayFail: ReadonlySet<bigint> | null = null;

  constructor(runtime: Runtime, kprobes: KprobeRegistry, kretprobes: KretprobeRegistry) {
    const contexts = new ContextSlots(runtime.memory, runtime.cpus, 8 * (MAX_ARG_WORDS + 1));
    this.#parts = { runtime, kprobes, kretprobes, contexts };
  }

  /**
   * Attaches `program` to the function `name`. ESRCH where the host's BTF does not have it, ENOENT where its symbols do not,
   * EINVAL where its types cannot be passed on, it cannot be probed, or (fmod_ret, and programs that may sleep) it is neither a
   * `security_` hook nor one that the kernel allows to fail.
   */
  attach(program: BpfProgram, name: string, kind: TrampolineKind, options: TrampolineOptions = {}): TrampolineLink {
    const { host } = this.#parts.runtime;
    const what = `attaching ${program.name} to function ${name}`;
    if (host.arch.pointerSize !== 8) {
      throw new BpfError('EOPNOTSUPP', what, { value: host.arch.name, remedy: 'Linux has no trampolines there' });
    }
    if (host.btf === null) throw new BpfError('ESRCH', what, { remedy: `${host.name} has no BTF: use a kprobe` });
    const model = functionModel(host.btf, name, host.arch.ptRegs);
    const address = host.symbols.lookup(name)?.address;
    if (address === undefined) throw new BpfError('ENOENT', what, { remedy: whyNoFunction(host, name) });
    if (kind === 'fmod_ret') this.#needListed(name, address, `${what}: ${name}() is not modifiable`, NOT_MODIFIABLE);
    if (program.executable.sleepable === true)
      this.#needListed(name, address, `${what}: ${name} is not sleepable`, NOT_SLEEPABLE);
    let trampoline = this.#functions.get(address);
    if (trampoline === undefined) {
      trampoline = new FunctionTrampoline(this.#parts, address, model);
      this.#functions.set(address, trampoline);
    }
    return trampoline.attach(program, kind, options);
  }

  /** Gives the contexts back; nothing may be attached any more. */
  close(): void {
    this.#parts.contexts.free();
  }

  /** Only a `security_` hook, which stands for the LSM hook behind it, or a function that the kernel lists for error injection. */
  #needListed(name: string, address: bigint, message: string, remedy: string): void {
    if (name.startsWith('security_')) return;
    this.#mayFail ??= errorInjectable(this.#parts.runtime.host);
    if (!this.#mayFail.has(address)) throw new BpfError('EINVAL', message, { value: name, remedy });
  }
}
