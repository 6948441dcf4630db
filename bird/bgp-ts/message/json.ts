/** Messages as JSON and back: for logs, fixtures, tools. Addresses are text, octets are hex digits. */
import { pathAttributes } from '../attribute/text.ts';
import { nextHopText } from '../attribute/next-hop-text.ts';
import { capabilityJson } from '../capability/table.ts';
import { remedies } from '../error.ts';
import { hex, ipv4 } from '../json/address.ts';
import { attributeFault } from '../json/fault.ts';
import type { Json, JsonCodec } from '../json/codec.ts';
import { constant, flag, fromJson, integer, list, oneOf, optional, record, tagged, u16, u8 } from '../json/codec.ts';
import { family } from '../nlri/families.ts';
import { familyNlri } from '../nlri/table.ts';
import type { Keepalive, Message, Notification, Open, RouteRefresh, Update, UpdateForm } from './message.ts';

const open = record<Open>({
  type: constant('open'),
  version: u8,
  asn: u16,
  holdSeconds: u16,
  bgpIdentifier: ipv4,
  capabilities: list(capabilityJson),
  parameters: optional(list(u16)),
  extendedParameters: optional(flag),
});

const update = record<Update>({
  type: constant('update'),
  announced: list(familyNlri),
  withdrawn: list(familyNlri),
  attributes: pathAttributes,
  ipv4NextHop: optional(nextHopText),
  endOfRib: optional(family),
  remedy: optional(oneOf(remedies)),
  disabled: optional(list(family)),
  faults: list(attributeFault),
  form: optional(record<UpdateForm>({ order: list(u8), extended: list(u8) })),
});

const notification = record<Notification>({ type: constant('notification'), code: u8, subcode: u8, data: hex() });

const keepalive = record<Keepalive>({ type: constant('keepalive') });

const subtypeWord = oneOf(['request', 'begin', 'end']);
const subtypeNumber = integer(3, 255);

const routeRefresh = record<RouteRefresh>({
  type: constant('route-refresh'),
  family,
  subtype: {
    to: (value) => value,
    from: (json, at) => (typeof json === 'number' ? subtypeNumber.from(json, at) : subtypeWord.from(json, at)),
  },
  data: optional(hex()),
});

/** A message of any type. */
const messageJson: JsonCodec<Message> = tagged<Message>('type', {
  open,
  update,
  notification,
  keepalive,
  'route-refresh': routeRefresh,
});

/** What `JSON.stringify` writes without loss. */
export const messageToJson = (message: Message): Json => messageJson.to(message);

/** The message, or one clause that names the field and the value: `attributes.med: -1 is not a whole number from …`. */
export type MessageFromJson =
  { readonly kind: 'ok'; readonly message: Message } | { readonly kind: 'invalid'; readonly text: string };

/** The opposite of `messageToJson`, for what `JSON.parse` gave. Unknown and missing fields are refused. Never throws. */
export function messageFromJson(json: unknown): MessageFromJson {
  const result = fromJson(messageJson, json);
  return result.kind === 'ok' ? { kind: 'ok', message: result.value } : result;
}
