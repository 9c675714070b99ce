import { UsageError } from '../usage-error.js';

/** Guests that `kscope guest up` knows, by the name it takes. */
export type GuestName = 'x86_64' | 'arm64' | 'riscv64' | 'i686';

/** What Debian calls it, and where its kernel is. */
export interface GuestArch {
  readonly name: GuestName;
  readonly debian: 'amd64' | 'arm64' | 'riscv64' | 'i386';
  /** Release whose kernel is known to work. */
  readonly suite: string;
  /** Package that depends on the newest kernel of that release. */
  readonly metaPackage: string;
}

const GUESTS: readonly GuestArch[] = [
  { name: 'x86_64', debian: 'amd64', suite: 'bookworm', metaPackage: 'linux-image-cloud-amd64' },
  { name: 'arm64', debian: 'arm64', suite: 'bookworm', metaPackage: 'linux-image-cloud-arm64' },
  // Debian 12 has no riscv64.
  { name: 'riscv64', debian: 'riscv64', suite: 'trixie', metaPackage: 'linux-image-riscv64' },
  // Debian 13 has no kernels for i386.
  { name: 'i686', debian: 'i386', suite: 'bookworm', metaPackage: 'linux-image-686' },
];

export const GUEST_NAMES: readonly GuestName[] = GUESTS.map(({ name }) => name);

export function guestArch(name: string | undefined): GuestArch {
  const found = GUESTS.find((guest) => guest.name === name);
  if (found === undefined) {
    throw new UsageError(
      `${name === undefined ? 'which guest?' : `there is no guest "${name}";`} there are ${GUEST_NAMES.join(', ')}`,
    );
  }
  return found;
}
