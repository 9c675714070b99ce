import { BpfProgType } from '../base/index.js';
import type { AttachTarget } from '../runtime/index.js';
import { type SectionDefinition, sectionDefinitions } from './section-definitions.js';
import { parseSectionTarget } from './section-target.js';

/** What libbpf's naming convention makes of an ELF section name. */
export interface SectionMeaning {
  /** BpfProgType number; BPF_PROG_TYPE_UNSPEC where the name is unknown. */
  readonly type: number;
  readonly expectedAttachType: number;
  readonly attach: AttachTarget;
  /** False for names with a leading `?`: loaded only when asked for. */
  readonly autoload: boolean;
  /** Whether libbpf attaches such a program on its own: the name has the form that tells where, even if badly. */
  readonly autoattach: boolean;
  /** The program may sleep (`.s`, and syscall programs): BPF_F_SLEEPABLE. */
  readonly sleepable: boolean;
  /** The program takes packets in fragments (`xdp.frags`): BPF_F_XDP_HAS_FRAGS. */
  readonly xdpFrags: boolean;
  /** The name without the `?`. */
  readonly section: string;
}

/**
 * Reads a section name such as `kprobe/vfs_read+0x10` or `tracepoint/sched/sched_switch` as libbpf 1.5 does. Names that
 * libbpf does not know, that tell no target, or tell one that cannot be read, have the target kind `other` with
 * the reason, which `attach` gives when it refuses.
 */
export function parseSectionName(name: string): SectionMeaning {
  const autoload = !name.startsWith('?');
  const section = autoload ? name : name.slice(1);
  const definition = sectionDefinitions.find((each) => matches(each, section));
  if (definition === undefined) return unknownSection(section, autoload);
  const { prefix, type, expectedAttachType, attachment, sleepable, xdpFrags } = definition;
  const isBare = section === prefix;
  const attach = parseSectionTarget(definition, isBare ? undefined : section.slice(prefix.length + 1), section);
  return {
    type,
    expectedAttachType,
    attach,
    autoload,
    autoattach: attachment === 'always' || (attachment === 'named' && !isBare),
    sleepable,
    xdpFrags,
    section,
  };
}

/** A definition with extras takes `prefix` and `prefix/anything`, any other only its very name. */
function matches({ prefix, extras }: SectionDefinition, section: string): boolean {
  return section === prefix || (extras && section.startsWith(`${prefix}/`));
}

function unknownSection(section: string, autoload: boolean): SectionMeaning {
  return {
    type: BpfProgType.BPF_PROG_TYPE_UNSPEC,
    expectedAttachType: 0,
    attach: { kind: 'other', section, why: 'unknown' },
    autoload,
    autoattach: false,
    sleepable: false,
    xdpFrags: false,
    section,
  };
}
