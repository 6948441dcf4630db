/** The configuration file of a speaker alone: what may stand in it. What it means, as bird's settings, is in convert.ts. */
import * as z from 'zod';
import { LOG_LEVELS } from '../runtime/logger.ts';
import { asn, community, dottedQuad, interfaceName, ipAddress, largeCommunity, name, prefix } from './fields.ts';
import { shortText, strict, wholeNumber } from './fields.ts';
import { rule } from './filter-schema.ts';
import { dynamicPeers, peer, peerFields } from './peer-schema.ts';

export const DEFAULT_SOCKET = '/var/run/calico/calico-ts.sock';

/** What a restarted speaker waits for its peers at most; one that is gone holds up new routes as long. */
export const DEFERRAL_SECONDS = 30;

const EVERYWHERE = [{ address: '0.0.0.0' }, { address: '::' }];

const listen = strict({
  address: ipAddress,
  port: wholeNumber(1, 65_535).default(179),
  interface: interfaceName.exactOptional().meta({ description: 'Only what comes in there' }),
});

const originated = z.union([
  prefix,
  strict({
    prefix,
    reason: shortText.exactOptional().meta({ description: 'For people' }),
    communities: z.array(community).exactOptional(),
    largeCommunities: z.array(largeCommunity).exactOptional(),
    med: wholeNumber(0, 0xffff_ffff).exactOptional(),
    localPref: wholeNumber(0, 0xffff_ffff).exactOptional(),
  }),
]);
export type Originated = z.output<typeof originated>;

export const document = strict({
  asn: asn.meta({ description: 'AS number' }),
  bgpIdentifier: dottedQuad.meta({ description: 'BGP Identifier, unique in the AS (RFC 6286)' }),
  listen: z
    .array(listen)
    .prefault(EVERYWHERE)
    .meta({ description: 'Where peers may connect; none at all: we only dial', default: EVERYWHERE }),
  clusterId: dottedQuad.exactOptional().meta({ description: 'Makes it a route reflector, RFC 4456' }),
  transit: z
    .boolean()
    .default(true)
    .meta({ description: 'Pass on to other ASes what was learned; false: only what it originates' }),
  decision: strict({
    alwaysCompareMed: z.boolean().default(false).meta({ description: 'MED of different neighboring ASes, too' }),
    aigp: z.boolean().default(false).meta({ description: 'RFC 7311' }),
  }).exactOptional(),
  gracefulRestart: strict({
    deferralSeconds: wholeNumber(0, 3600)
      .default(DEFERRAL_SECONDS)
      .meta({ description: "After a restart, wait for the peers' End-of-RIB at most so long (RFC 4724 §4.1)" }),
  }).exactOptional(),
  socket: z
    .string()
    .startsWith('/', 'is not an absolute path')
    .refine((path) => new TextEncoder().encode(path).length <= 107, {
      error: 'is too long: a unix socket has 107 octets at most',
    })
    .default(DEFAULT_SOCKET)
    .meta({ description: 'Where `calicoctl-ts --socket` asks' }),
  socketMode: z
    .string()
    .regex(/^0?[0-7]{3}$/, "is not a file mode in octal and in quotes, like '0660'")
    .default('0660')
    .meta({ description: 'Who may ask, and stop it' }),
  log: strict({ level: z.enum(LOG_LEVELS).default('info') }).exactOptional(),
  originate: z.array(originated).default([]).meta({ description: 'What it tells of its own', default: [] }),
  filters: z.record(name, z.array(rule)).default({}).meta({ description: 'By name: rules, in order', default: {} }),
  defaults: peerFields.default({}).meta({ description: 'For all peers; a template is stronger', default: {} }),
  templates: z
    .record(name, peerFields)
    .default({})
    .meta({ description: 'By name: settings for the peers that name it; the peer itself is stronger', default: {} }),
  peers: z.array(peer).default([]).meta({ default: [] }),
  dynamicPeers: z.array(dynamicPeers).default([]).meta({ default: [] }),
}).meta({ title: 'Configuration of calico-node-ts speaker' });

export type SpeakerDocument = z.output<typeof document>;
/** As it is written. */
export type SpeakerFile = z.input<typeof document>;

/** For editors and for whoever checks a file elsewhere. JSON Schema 2020-12. */
export const jsonSchema = (): object => z.toJSONSchema(document, { io: 'input' });
