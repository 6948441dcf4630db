import * as z from 'zod';
import { InvalidValueError } from '../model/invalid.ts';
import { fields, numberOrText, wholeNumber } from './fields.ts';

/** What rules and endpoints say of packets: protocols and ports, as numbers or by name. */

const PROTOCOLS = ['TCP', 'UDP', 'ICMP', 'ICMPv6', 'SCTP', 'UDPLite'] as const;
export type Protocol = (typeof PROTOCOLS)[number] | number;

/** IANA's numbers of those that have names here. */
const NUMBERS: Readonly<Record<(typeof PROTOCOLS)[number], number>> = {
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  ICMPv6: 58,
  SCTP: 132,
  UDPLite: 136,
};

export const protocolNumber = (protocol: Protocol): number =>
  typeof protocol === 'number' ? protocol : NUMBERS[protocol];

/** Those whose ports Calico can match. */
export const hasPorts = (protocol: Protocol): boolean =>
  (['TCP', 'UDP', 'SCTP'] as const).some((name) => protocolNumber(protocol) === NUMBERS[name]);

const PROTOCOL = {
  examples: ['TCP', 'UDP', 132],
  reason: `is not a protocol: a number between 1 and 255, or one of ${PROTOCOLS.join(', ')}`,
} as const;

/** Any case is understood, Calico's own is stored. */
export const protocol = numberOrText(PROTOCOL, (value): Protocol => {
  const name = PROTOCOLS.find((candidate) => candidate.toLowerCase() === String(value).toLowerCase());
  if (name !== undefined) return name;
  const number = /^\d+$/.test(String(value)) ? Number(value) : 0;
  if (number >= 1 && number <= 255) return number;
  throw new InvalidValueError('', value, PROTOCOL.reason);
});

const MAX_PORT = 65_535;

/** One port or a range with both ends; undefined where the text is neither. */
function portRange(text: string): number | string | undefined {
  const [, first = '', last = first] = /^(\d+)(?::(\d+))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === '' || from < 1 || from > to || to > MAX_PORT) return undefined;
  return from === to ? from : `${from}:${to}`;
}

const RANGE = {
  examples: [80, '8080:8089'],
  reason: 'is not a port or a range of ports from 1 to 65535, such as 80 or 8080:8089',
} as const;

/** A port or a range, stored as a number or as `from:to`. */
export const portOrRange = numberOrText(RANGE, (value): number | string => {
  const range = portRange(String(value));
  if (range !== undefined) return range;
  throw new InvalidValueError('', value, RANGE.reason);
});

/** Kubernetes' rule for the names of a container's ports, RFC 6335 §5.1. */
const PORT_NAME = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/;

const PORT = {
  examples: [80, '8080:8089', 'https'],
  reason: 'is not a port, a range of ports from 1 to 65535, or the name of a port',
} as const;

/** As portOrRange, or the name that an endpoint gives to one of its ports. */
export const port = numberOrText(PORT, (value): number | string => {
  const text = String(value);
  const range = portRange(text);
  if (range !== undefined) return range;
  if (PORT_NAME.test(text)) return text;
  throw new InvalidValueError('', value, PORT.reason);
});

const PORT_NAME_REASON =
  'is not the name of a port: at most 15 lower-case letters, digits and "-", one letter among them';

export const portName = z.string().regex(PORT_NAME, PORT_NAME_REASON);

/** Empty: it has none. */
export const portNameOrNone = z.string().regex(new RegExp(`^$|${PORT_NAME.source}`), PORT_NAME_REASON);

export const portNumber = wholeNumber(1, MAX_PORT);

/** Only protocols that have ports. */
export const portProtocol = protocol.check((ctx) => {
  if (hasPorts(ctx.value)) return;
  ctx.issues.push({ code: 'custom', input: ctx.value, message: 'has no ports; TCP, UDP and SCTP have' });
});

/** A named port of an endpoint, which rules may refer to. */
export const endpointPort = (owner: string) =>
  fields(owner, { name: portName, protocol: portProtocol, port: portNumber });
