import { BgpError } from '../error.ts';
import { openError } from '../iana.ts';
import { hex } from '../json/address.ts';
import type { JsonCodec } from '../json/codec.ts';
import { constant, record, tagged, u8 } from '../json/codec.ts';
import type { Reader } from '../reader.ts';
import { Writer } from '../writer.ts';
import { addPath } from './add-path.ts';
import type { Capability } from './capability.ts';
import { enhancedRouteRefresh } from './enhanced-route-refresh.ts';
import { extendedMessage } from './extended-message.ts';
import { extendedNextHop } from './extended-next-hop.ts';
import { fourOctetAs } from './four-octet-as.ts';
import { fqdn } from './fqdn.ts';
import { gracefulRestart } from './graceful-restart.ts';
import { longLivedGracefulRestart } from './long-lived-graceful-restart.ts';
import { multipleLabels } from './multiple-labels.ts';
import { multiprotocol } from './multiprotocol.ts';
import { role } from './role.ts';
import { routeRefresh } from './route-refresh.ts';
import { softwareVersion } from './software-version.ts';
import type { CapabilitySpec, Named } from './spec.ts';
import { copyOf } from '../reader.ts';

type Known = Exclude<Capability['name'], 'unknown'>;

/** A capability without a codec does not compile, nor a codec without a capability. */
export type CapabilityTable = { readonly [N in Known]: CapabilitySpec<Named<N>> };

export const capabilityTable: CapabilityTable = {
  multiprotocol,
  'route-refresh': routeRefresh,
  'extended-next-hop': extendedNextHop,
  'extended-message': extendedMessage,
  'multiple-labels': multipleLabels,
  role,
  'graceful-restart': gracefulRestart,
  'four-octet-as': fourOctetAs,
  'add-path': addPath,
  'enhanced-route-refresh': enhancedRouteRefresh,
  'long-lived-graceful-restart': longLivedGracefulRestart,
  fqdn,
  'software-version': softwareVersion,
};

const specByCode: ReadonlyMap<number, CapabilitySpec<Capability>> = new Map(
  Object.values(capabilityTable).map((spec) => [spec.code, spec as CapabilitySpec<Capability>]),
);

type UnknownCapability = Named<'unknown'>;
const unknownJson = record<UnknownCapability>({ name: constant('unknown'), code: u8, value: hex() });

export const capabilityJson: JsonCodec<Capability> = tagged<Capability>('name', {
  ...Object.fromEntries(Object.entries(capabilityTable).map(([name, { json }]) => [name, json])),
  unknown: unknownJson,
});

/** For the readable line: what matters of it, without its code. */
export function formatCapability(capability: Capability): string {
  if (capability.name === 'unknown') return `capability ${capability.code}`;
  const spec = capabilityTable[capability.name] as CapabilitySpec<Capability>;
  return spec.line?.(capability).trimEnd() ?? capability.name;
}

/** One capability, code and length first. Throws BgpError 2/0 where its row says so; otherwise it is kept as bytes. */
export function decodeCapability(list: Reader): Capability {
  const code = list.u8();
  const value = list.part(list.u8());
  const unknown = (): Capability => ({ name: 'unknown', code, value: copyOf(value.bytes, start, start + octets) });
  const { at: start, left: octets } = value;
  const spec = specByCode.get(code);
  if (spec === undefined) return unknown();
  try {
    const capability = spec.decode(value);
    if (value.left > 0) throw new BgpError(`${value.left} octets are left over`, openError.unspecific);
    return capability;
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    if (spec.onMalformed === 'keep') return unknown();
    throw new BgpError(`capability ${code}: ${error.text}`, openError.unspecific);
  }
}

/** Code, length and value: as it stands in an OPEN, and in the data of 2/7. */
export function encodeCapability(capability: Capability): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  if (capability.name === 'unknown') {
    out.u8(capability.code);
    out.prefixed(1, (content) => content.bytes(capability.value));
  } else {
    const spec = capabilityTable[capability.name] as CapabilitySpec<Capability>;
    out.u8(spec.code);
    out.prefixed(1, (content) => spec.encode(content, capability));
  }
  return out.finish();
}
