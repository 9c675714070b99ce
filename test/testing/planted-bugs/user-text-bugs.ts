import type { HostUserText } from '../../../src/host/index.js';
import { override, type KitSubject, type PlantedBug } from './planted-bug.js';

export const userTextBugs: readonly PlantedBug[] = [
  bugInUserText(
    'any path is a file',
    'user text: files are found by path and read to their end',
    (user, { facts }) => ({
      open: (path) => user.open(path) ?? user.open(facts.program?.path ?? ''),
    }),
  ),
  bugInUserText('files end at whole pages', 'user text: files are found by path and read to their end', (user) => ({
    read: (file, offset, dst) =>
      user.read(file, offset, dst) || offset + dst.length <= Math.ceil(file.size / 4096) * 4096,
  })),
  bugInUserText(
    'a patch of programs does not compare',
    'user text: a patch compares, and leaves the file as it is',
    (user) => ({
      patch(file, offset, expected, bytes) {
        const original = new Uint8Array(expected.length);
        user.read(file, offset, original);
        return user.patch(file, offset, original, bytes) || user.patch(file, offset, Uint8Array.of(0xcc), bytes);
      },
    }),
  ),
  bugInUserText(
    'room in programs is never taken back',
    'user text: room for displaced instructions is aligned and comes back',
    () => ({ freeExec: () => {} }),
  ),
  bugInUserText(
    'places are offsets in their page',
    'user text: each execution is one trap, found by file and offset, in every process',
    (user) => ({
      locate(lo, hi, out) {
        const found = user.locate(lo, hi, out);
        out.offset &= 0xff;
        return found;
      },
    }),
  ),
];

function bugInUserText(
  name: string,
  finds: string,
  broken: (sound: HostUserText, subject: KitSubject) => Partial<HostUserText>,
): PlantedBug {
  return {
    name,
    finds,
    plant(subject) {
      const sound = subject.host.userText as HostUserText;
      return { ...subject, host: override(subject.host, { userText: override(sound, broken(sound, subject)) }) };
    },
  };
}
