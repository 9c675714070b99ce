import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpioArchive, type CpioEntry } from './cpio-archive.js';
import { guestCacheFolder, type GuestFiles } from './guest-cache.js';

/** What the guest prints when it is up. */
export const READY_LINE = 'kscope: guest ready';

/** A shell on the console, and some work in the background that tools can look at. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ PS1='guest# '
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tracefs tracefs /sys/kernel/tracing
while :; do
  wc -c /proc/uptime /proc/loadavg /etc/motd >/dev/null
  ls /bin >/dev/null
  sleep 0.1
done &
echo '${READY_LINE}'
while :; do setsid cttyhack sh; done
`;

/** Builds the initramfs in the guest's cache folder; its path. */
export function guestInitramfs({ busybox, guest }: GuestFiles): string {
  const encoder = new TextEncoder();
  const entries: CpioEntry[] = [
    ...['bin', 'dev', 'etc', 'proc', 'sys', 'tmp'].map((name) => ({ kind: 'folder' as const, name })),
    { kind: 'device', name: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', name: 'bin/busybox', data: readFileSync(busybox), executable: true },
    { kind: 'file', name: 'etc/motd', data: encoder.encode(`A ${guest} guest of kscope.\n`) },
    { kind: 'file', name: 'init', data: encoder.encode(INIT), executable: true },
  ];
  const path = join(guestCacheFolder(), guest, 'initramfs.cpio');
  writeFileSync(path, cpioArchive(entries));
  return path;
}
