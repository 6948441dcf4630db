/**
 * A socket filter that keeps the echo of our own route writes from a monitor: who writes 100,000 routes knows it, and what
 * comes back would fill the buffer and hide what others do. Classic BPF; each notification of a route is a datagram of its own.
 */
import { LITTLE_ENDIAN, viewOf } from './attribute.ts';
import { RTM } from './constants.ts';

/** BPF_LD | BPF_H | BPF_ABS, BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ | BPF_K, BPF_RET | BPF_K */
const OP = { loadHalf: 0x28, loadWord: 0x20, jumpIfEqual: 0x15, returnValue: 0x06 } as const;
const TYPE_AT = 4;
const PORT_AT = 12;
const WHOLE_DATAGRAM = 0xffff_ffff;
const INSTRUCTION_OCTETS = 8;

/** What the program reads it takes for network byte order. */
const half = (value: number): number => (LITTLE_ENDIAN ? ((value & 255) << 8) | (value >>> 8) : value);

function word(value: number): number {
  const octets = new Uint8Array(4);
  viewOf(octets).setUint32(0, value, LITTLE_ENDIAN);
  return viewOf(octets).getUint32(0);
}

/** Drops RTM_NEWROUTE and RTM_DELROUTE that tell of requests from the netlink port, and accepts all else. */
export function routeEchoFilter(port: number): Uint8Array {
  const program: readonly (readonly [op: number, ifTrue: number, ifFalse: number, constant: number])[] = [
    [OP.loadHalf, 0, 0, TYPE_AT],
    [OP.jumpIfEqual, 1, 0, half(RTM.newRoute)],
    [OP.jumpIfEqual, 0, 2, half(RTM.delRoute)],
    [OP.loadWord, 0, 0, PORT_AT],
    [OP.jumpIfEqual, 1, 0, word(port)],
    [OP.returnValue, 0, 0, WHOLE_DATAGRAM],
    [OP.returnValue, 0, 0, 0],
  ];
  const octets = new Uint8Array(program.length * INSTRUCTION_OCTETS);
  const view = viewOf(octets);
  for (const [i, [op, ifTrue, ifFalse, constant]] of program.entries()) {
    const at = i * INSTRUCTION_OCTETS;
    view.setUint16(at, op, LITTLE_ENDIAN);
    octets[at + 2] = ifTrue;
    octets[at + 3] = ifFalse;
    view.setUint32(at + 4, constant, LITTLE_ENDIAN);
  }
  return octets;
}
