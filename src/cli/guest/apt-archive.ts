import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BpfError } from '../../base/index.js';
import type { GuestArch } from './guest-arch.js';
import { runTool } from './run-tool.js';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Told while something is fetched: percent of the present step, and what is being fetched. */
export type FetchProgress = (percent: number, what: string) => void;

/**
 * Debian's archive for one architecture and release, through this machine's apt but with lists, state and cache in a
 * folder of its own: no root, and nothing of the machine's own package state is read or changed.
 */
export class AptArchive {
  readonly #guest: GuestArch;
  readonly #folder: string;
  readonly #config: string;
  readonly #signal: AbortSignal | undefined;

  constructor(guest: GuestArch, folder: string, mirror: string, signal?: AbortSignal) {
    this.#guest = guest;
    this.#folder = folder;
    this.#signal = signal;
    for (const each of ['state/lists/partial', 'cache/archives/partial', 'parts', 'debs']) {
      mkdirSync(join(folder, each), { recursive: true });
    }
    writeFileSync(join(folder, 'status'), '');
    const keyring = existsSync(KEYRING) ? ` signed-by=${KEYRING}` : '';
    writeFileSync(join(folder, 'sources.list'), `deb [arch=${guest.debian}${keyring}] ${mirror} ${guest.suite} main\n`);
    this.#config = join(folder, 'apt.conf');
    writeFileSync(this.#config, configText(guest, folder));
  }

  /** Fetches the package lists anew. */
  async update(progress?: FetchProgress): Promise<void> {
    // apt counts a mirror it cannot reach among its warnings.
    await this.#apt('apt-get', ['-o', 'APT::Update::Error-Mode=any', 'update'], progress);
  }

  /** The packages that `name` depends on. */
  async dependencies(name: string): Promise<readonly string[]> {
    const text = await this.#apt('apt-cache', ['depends', '--important', name]);
    return [...text.matchAll(/^\s+Depends: (\S+)$/gm)].map(([, each = '']) => each);
  }

  /** Downloads and checks one package; the path of its .deb. */
  async download(name: string, progress?: FetchProgress): Promise<string> {
    const debs = join(this.#folder, 'debs');
    await this.#apt('apt-get', ['download', name], progress, debs);
    const deb = readdirSync(debs).find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
    if (deb === undefined) throw new BpfError('EIO', `apt-get download ${name} left no file`, { value: debs });
    return join(debs, deb);
  }

  #apt(program: string, args: readonly string[], progress?: FetchProgress, cwd?: string): Promise<string> {
    return runTool(program, ['-q', ...(progress === undefined ? [] : ['-o', 'APT::Status-Fd=3']), ...args], {
      env: { APT_CONFIG: this.#config },
      ...(cwd === undefined ? {} : { cwd }),
      ...(this.#signal === undefined ? {} : { signal: this.#signal }),
      ...(progress === undefined ? {} : { onStatus: (line: string) => tell(line, progress) }),
    });
  }

  /** For messages. */
  get name(): string {
    return `Debian ${this.#guest.suite} ${this.#guest.debian}`;
  }
}

/** The machine's own configuration stays in force (proxies, say); where files lie is ours. */
function configText({ debian }: GuestArch, folder: string): string {
  const settings = [
    ['Dir::State', join(folder, 'state')],
    ['Dir::State::status', join(folder, 'status')],
    ['Dir::Cache', join(folder, 'cache')],
    ['Dir::Etc::sourcelist', join(folder, 'sources.list')],
    ['Dir::Etc::sourceparts', join(folder, 'parts')],
    ['Dir::Log', folder],
    ['APT::Architecture', debian],
    ['Acquire::Languages', 'none'],
    ['Acquire::Retries', '3'],
  ].map(([name, value]) => `${name} "${value}";`);
  return `${[...settings, `APT::Architectures { "${debian}"; };`].join('\n')}\n`;
}

/** `dlstatus:1:42.5:Retrieving file 1 of 1` */
function tell(line: string, progress: FetchProgress): void {
  const match = /^dlstatus:\d+:([\d.]+):(.*)$/.exec(line);
  if (match !== null) progress(Number(match[1]), match[2] ?? '');
}

/**
 * The Debian mirror that this machine's own apt uses, or `$KSCOPE_GUEST_MIRROR`. ENOENT where there is no apt or it has
 * no such source.
 */
export async function debianMirror(): Promise<string> {
  const chosen = process.env['KSCOPE_GUEST_MIRROR'];
  if (chosen !== undefined) return chosen;
  const format = '$(ORIGIN) $(LABEL) $(REPO_URI)';
  const text = await runTool('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const mirror = /^Debian Debian (\S+)$/m.exec(text)?.[1];
  if (mirror !== undefined) return mirror;
  throw new BpfError('ENOENT', "this machine's apt has no source of Debian's archive (Origin and Label Debian)", {
    remedy: 'run apt-get update if it has never run, or set KSCOPE_GUEST_MIRROR to the URI of a mirror',
  });
}
