import { bytes, frame } from '../support/bgp-bytes.ts';
import type { SeedText } from './corpus.ts';

const octets = (hex: string): number => bytes(hex).length;
const byte = (value: number): string => value.toString(16).padStart(2, '0');
const text = (value: string): string => Buffer.from(value).toString('hex');
const capability = (code: number, value: string): string => `${byte(code)}${byte(octets(value))}${value}`;
const parameter = (value: string): string => `02${byte(octets(value))}${value}`;
const fixed = '04 fde9 005a c0000201';

const capabilities: readonly string[] = [
  capability(1, '00010001'),
  capability(1, '00020001'),
  capability(1, '00010080'),
  capability(1, '00190046'),
  capability(2, ''),
  capability(5, '000100010002 000100800002'),
  capability(6, ''),
  capability(9, '03'),
  capability(64, '4078 00010180 00020100'),
  capability(64, 'c000'),
  capability(65, '0000fde9'),
  capability(69, '00010103 00020101 00018002'),
  capability(70, ''),
  capability(71, '00010180000e10 00020100ffffff'),
  capability(73, `05${text('node1')}0b${text('example.com')}`),
  capability(75, `07${text('FRR 8.4')}`),
  capability(131, '00'),
  capability(128, ''),
  capability(199, 'deadbeef'),
];

const open = (parameters: string, head = fixed): SeedText => ({
  octets: frame(1, bytes(head, byte(octets(parameters)), parameters)),
});

/** RFC 9072: lengths of two octets. */
const extended = (parameters: string): SeedText => ({
  octets: frame(1, bytes(fixed, 'ffff', octets(parameters).toString(16).padStart(4, '0'), parameters)),
});

/** OPEN with no parameter, each capability by itself, all of them one by one and in one parameter, and RFC 9072's form. */
export const openSeeds: readonly SeedText[] = [
  open(''),
  open('', '04 5ba0 0000 00000000'),
  ...capabilities.map((each) => open(parameter(each))),
  open(capabilities.map(parameter).join('')),
  open(parameter(capabilities.join(''))),
  extended(capabilities.map((each) => `020000${each}`.replace('0000', `00${byte(octets(each))}`)).join('')),
  extended(`02 00${byte(octets(capabilities.join('')))} ${capabilities.join('')}`),
  extended(`02 012c ${capability(199, 'ab'.repeat(148))}${capability(200, 'cd'.repeat(148))}`),
];
