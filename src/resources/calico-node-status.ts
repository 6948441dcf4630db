import * as z from 'zod';
import { distinct, fields, resourceName, wholeNumber } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelopeShape, nameColumn } from './kind.ts';
import { once } from './once.ts';

const SECONDS_A_DAY = 86_400;

const spec = once(() =>
  fields('CalicoNodeStatus.spec', {
    node: resourceName,
    classes: distinct(z.enum(['Agent', 'BGP', 'Routes']))
      .min(1, 'has no entry')
      .describe('what the node writes into the status'),
    updatePeriodSeconds: wholeNumber(0, SECONDS_A_DAY).describe('between updates of the status; 0: none'),
  }),
);

const words = once(() => z.string().exactOptional());

/** Whoever writes it may know words and fields that we do not. */
const daemon = once(() =>
  z
    .looseObject({
      state: words().describe('`Ready`, `NotReady`'),
      version: words(),
      routerID: words(),
      lastBootTime: words(),
      lastReconfigurationTime: words(),
    })
    .exactOptional(),
);

const peers = once(() =>
  z
    .array(
      z.looseObject({
        peerIP: words(),
        type: words().describe('`NodeMesh`, `NodePeer`, `GlobalPeer`'),
        state: words().describe('`Idle`, `Connect`, `Active`, `OpenSent`, `OpenConfirm`, `Established`, `Close`'),
        since: words(),
      }),
    )
    .nullable()
    .exactOptional(),
);

const routes = once(() =>
  z
    .array(
      z.looseObject({
        type: words().describe('`FIB`: in use, `RIB`: not'),
        destination: words(),
        gateway: words(),
        interface: words(),
        learnedFrom: z
          .looseObject({
            sourceType: words().describe('`Kernel`, `Static`, `Direct`, `NodeMesh`, `BGPPeer`'),
            peerIP: words(),
          })
          .exactOptional(),
      }),
    )
    .nullable()
    .exactOptional(),
);

const count = once(() => z.int().exactOptional());

const status = once(() =>
  z.looseObject({
    lastUpdated: z.string().nullable().exactOptional().describe('RFC 3339'),
    agent: z.looseObject({ birdV4: daemon(), birdV6: daemon() }).exactOptional(),
    bgp: z
      .looseObject({
        numberEstablishedV4: count(),
        numberNotEstablishedV4: count(),
        numberEstablishedV6: count(),
        numberNotEstablishedV6: count(),
        peersV4: peers(),
        peersV6: peers(),
      })
      .exactOptional(),
    routes: z.looseObject({ routesV4: routes(), routesV6: routes() }).exactOptional(),
  }),
);

const schema = once(() =>
  fields('CalicoNodeStatus', {
    ...envelopeShape('CalicoNodeStatus', false, spec()),
    status: status().exactOptional(),
  }),
);

export type CalicoNodeStatus = z.output<ReturnType<typeof schema>>;

const node = { heading: 'NODE', value: ({ spec: own }: CalicoNodeStatus) => own.node };

export const calicoNodeStatus: KindSpec<CalicoNodeStatus> = {
  kind: 'CalicoNodeStatus',
  plural: 'caliconodestatuses',
  aliases: ['nodestatus', 'nodestatuses'],
  namespaced: false,
  schema,
  columns: [nameColumn, node],
  wideColumns: [nameColumn, node, { heading: 'CLASSES', value: ({ spec: own }) => own.classes.join(',') }],
};
