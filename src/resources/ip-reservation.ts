import type { z } from 'zod';
import { addressOrNetwork, distinct, fields } from './fields.ts';
import type { KindSpec } from './kind.ts';
import { envelope, joinedShort, nameColumn } from './kind.ts';
import { once } from './once.ts';

const schema = once(() =>
  envelope(
    'IPReservation',
    false,
    fields('IPReservation.spec', {
      reservedCIDRs: distinct(addressOrNetwork)
        .default([])
        .describe('addresses and networks that are given to nobody who does not name them; what is given stays'),
    }),
  ),
);

export type IpReservation = z.output<ReturnType<typeof schema>>;

export const ipReservation: KindSpec<IpReservation> = {
  kind: 'IPReservation',
  plural: 'ipreservations',
  aliases: ['reservation', 'reservations'],
  namespaced: false,
  schema,
  columns: [nameColumn],
  wideColumns: [nameColumn, { heading: 'CIDRS', value: ({ spec }) => joinedShort(spec.reservedCIDRs) }],
};
