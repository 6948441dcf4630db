import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listingOf } from '../../felix/nat/listing.ts';
import type { Nftables } from '../../felix/nat/nftables.ts';
import { planNat, separate } from '../../felix/nat/plan.ts';
import type { NatTable } from '../../felix/nat/plan.ts';
import type { TunnelPlan } from '../../felix/calc/tunnels.ts';
import { addressBits, parseIpAddress, prefixOf } from '../../src/model/ip.ts';
import type { Prefix } from '../../src/model/ip.ts';
import { inputs, pool } from '../support/dataplane-inputs.ts';

export interface NftablesCase {
  readonly nftables: Nftables;
  /** Somebody else deletes our table. */
  readonly loseTable: () => void;
  /** Waits until the condition holds; the real kernel's events take a moment. */
  readonly eventually: (condition: () => boolean) => Promise<void>;
  readonly close: () => void;
}

const TUNNELS: readonly TunnelPlan[] = ['tunl0', 'vxlan.calico'].map((name) => ({
  state: 'waiting',
  name,
  reason: '',
}));

/** Everything that a plan can ask for, in both families. */
export const fullTable = (vxlanPort = 4789): NatTable =>
  planNat(
    inputs({
      pools: [
        pool('10.0.0.0/24', { nat: true }, 'a'),
        pool('10.0.1.0/24', { nat: true }, 'adjacent'),
        pool('10.9.9.9/32', { nat: true }, 'one'),
        pool('240.0.0.0/4', {}, 'end'),
        pool('fd10::/48', { nat: true }, 'six'),
        pool('fe00::/7', {}, 'six-end'),
      ],
    }),
    TUNNELS,
    {
      settings: {
        exclusions: 'IPPoolsAndHostIPs',
        portRange: { from: 30_000, to: 40_000 },
        address: parseIpAddress('203.0.113.5'),
      },
      vxlanPort,
    },
  ).table!;

const prefixes = (family: 4 | 6): fc.Arbitrary<readonly Prefix[]> => {
  const words = fc.array(fc.nat(0xffff_ffff), { minLength: family === 4 ? 1 : 4, maxLength: family === 4 ? 1 : 4 });
  const prefix = fc
    .tuple(words, fc.nat(addressBits(family)))
    .map(([each, length]) => prefixOf({ family, words: each }, length));
  return fc.array(prefix, { minLength: 1, maxLength: 6 }).map(separate);
};

const setTable = (family: 4 | 6, set: readonly Prefix[]): NatTable => ({
  sets: [{ name: 'set', family, prefixes: set }],
  rules: [],
});

/** What every Nftables must do. `open` gives a fresh one for each test. */
export function nftablesCompliance(name: string, open: () => NftablesCase): void {
  describe(`${name} keeps the contract of nftables`, () => {
    let nftables: Nftables;
    let one: NftablesCase;

    beforeEach(() => {
      one = open();
      ({ nftables } = one);
    });
    afterEach(async () => {
      await nftables.close();
      one.close();
    });

    test('at first there is no table, and to remove it is a success', async () => {
      expect(await nftables.read()).toBeUndefined();
      await nftables.remove();
      expect(await nftables.read()).toBeUndefined();
    });

    test('what is written is what is read', async () => {
      await nftables.replace(fullTable());
      expect(await nftables.read()).toEqual(listingOf(fullTable()));
    });

    test('a second table takes the place of the first, whole', async () => {
      await nftables.replace(fullTable());
      await nftables.replace({ ...fullTable(100), sets: fullTable().sets });
      expect(await nftables.read()).toEqual(listingOf(fullTable(100)));
      await nftables.remove();
      expect(await nftables.read()).toBeUndefined();
    });

    test.each([4, 6] as const)(
      'any networks of IPv%d that lie beside each other are read as written',
      async (family) => {
        await fc.assert(
          fc.asyncProperty(prefixes(family), async (set) => {
            await nftables.replace(setTable(family, set));
            expect(await nftables.read()).toEqual(listingOf(setTable(family, set)));
          }),
          { numRuns: 60 },
        );
      },
    );

    test('the listener hears when somebody else deletes the table, and not what we read since', async () => {
      const heard: (string | undefined)[] = [];
      await nftables.watch((by) => void heard.push(by));
      await nftables.replace(fullTable());
      await nftables.read();
      one.loseTable();
      await one.eventually(() => heard.length > 0);
      expect(heard.length).toBe(1);
      expect(await nftables.read()).toBeUndefined();
    });

    test('once closed it refuses nothing but work', async () => {
      await nftables.close();
      await nftables.close();
      await expect(nftables.read()).rejects.toThrow('nftables was closed');
    });
  });
}
