import { type JournalEntry, JournalKind as Kind } from '../../../src/host/sim/index.js';

const NAMES =
  'NONE ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN CLOSING'.split(
    ' ',
  );
export const stateName = (state: bigint): string => NAMES[Number(state)] ?? String(state);

/** The diagram of RFC 9293, as Linux walks it: a socket is made from a listener's, and time-wait is no state of a full one. */
const DIAGRAM = new Set(
  `CLOSE>LISTEN CLOSE>SYN_SENT LISTEN>CLOSE LISTEN>SYN_RECV SYN_SENT>ESTABLISHED SYN_SENT>CLOSE SYN_RECV>ESTABLISHED
SYN_RECV>FIN_WAIT1 SYN_RECV>CLOSE_WAIT SYN_RECV>CLOSE ESTABLISHED>FIN_WAIT1 ESTABLISHED>CLOSE_WAIT ESTABLISHED>CLOSE FIN_WAIT1>FIN_WAIT2
FIN_WAIT1>CLOSING FIN_WAIT1>CLOSE FIN_WAIT2>CLOSE CLOSING>CLOSE CLOSE_WAIT>LAST_ACK CLOSE_WAIT>CLOSE LAST_ACK>CLOSE`.split(
    /\s+/,
  ),
);

/** Where the journal's sockets leave the diagram, jump from one state to another, or are destroyed before they are closed. */
export function diagramViolations(entries: Iterable<JournalEntry>): string[] {
  const states = new Map<bigint, bigint>();
  const broken: string[] = [];
  for (const { kind, a, b, c, time } of entries) {
    if (kind === Kind.SOCK_STATE) {
      const step = `${stateName(b)}>${stateName(c)}`;
      if (!DIAGRAM.has(step)) broken.push(`${step} at ${time}`);
      const known = states.get(a);
      if (known !== undefined && known !== b) broken.push(`${step} of a socket in ${stateName(known)} at ${time}`);
      states.set(a, c);
    } else if (kind === Kind.TCP_DESTROY) {
      const known = states.get(a) ?? CLOSE;
      if (known !== CLOSE) broken.push(`destroyed in ${stateName(known)} at ${time}`);
      states.delete(a);
    }
  }
  return broken;
}

const CLOSE = 7n;
