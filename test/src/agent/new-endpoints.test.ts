import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LocalEndpoint } from '../../../felix/index.ts';
import { NewEndpoints } from '../../../src/agent/new-endpoints.ts';
import { formatIpAddress, parseIpAddress } from '../../../src/model/ip.ts';

const endpoint = (interfaceName: string, address: string): LocalEndpoint => ({
  ...{ name: 'default/web', interfaceName },
  addresses: [parseIpAddress(address)],
});

const expected = (hostInterface: string, address: string) => ({ hostInterface, addresses: [parseIpAddress(address)] });

const texts = (endpoints: readonly LocalEndpoint[]): readonly string[] =>
  endpoints.map(({ interfaceName, addresses }) => `${interfaceName} ${addresses.map(formatIpAddress).join()}`).sort();

describe('an endpoint that is on its way through the datastore', () => {
  test('is told in place of what an older view has behind its interface', () => {
    const ahead = new NewEndpoints();
    ahead.expect(expected('cali1', '10.0.0.2'));
    const older = [endpoint('cali1', '10.0.0.1'), endpoint('cali2', '10.0.0.9')];
    expect(texts(ahead.over(older, 5))).toEqual(['cali1 10.0.0.2', 'cali2 10.0.0.9']);
  });

  test('is not told any more once the view has come to its revision, whatever that says then', () => {
    const ahead = new NewEndpoints();
    ahead.expect(expected('cali1', '10.0.0.2'));
    ahead.written('cali1', 7);
    expect(texts(ahead.over([], 6))).toEqual(['cali1 10.0.0.2']);
    const view: readonly LocalEndpoint[] = [];
    expect(ahead.over(view, 7)).toBe(view);
  });

  test('is forgotten where its ADD fails or its DEL comes, also before its record is written', () => {
    const ahead = new NewEndpoints();
    ahead.expect(expected('cali1', '10.0.0.2'));
    ahead.forget('cali1');
    ahead.written('cali1', 7);
    expect(ahead.over([], 0)).toEqual([]);
  });
});

/** What happens to one interface's record in the datastore, each time at the next revision: an address, or it is removed. */
const records = fc.array(fc.constantFrom('10.0.0.2', '10.0.0.3', undefined), { maxLength: 6 });
/** How far the watch comes between any two steps of the ADD. */
const strides = fc.array(fc.nat(3), { minLength: 20, maxLength: 20 });

test('from its ADD on the endpoint is there until a view as new as its record, and from then on the view counts', () => {
  fc.assert(
    fc.property(records, records, strides, (before, after, steps) => {
      const written = before.length + 1;
      const history = [...before, '10.0.0.2', ...after];
      const viewAt = (revision: number): readonly LocalEndpoint[] => {
        const address = history[revision - 1];
        return address === undefined ? [] : [endpoint('cali1', address)];
      };
      const ahead = new NewEndpoints();
      let revision = 0;
      for (const [i, step] of steps.entries()) {
        if (i === 1) ahead.expect(expected('cali1', '10.0.0.2'));
        if (i === 5) ahead.written('cali1', written);
        const newest = i < 3 ? before.length : i < 7 ? written : history.length;
        revision = Math.min(newest, revision + step);
        const isAhead = i >= 1 && (i < 5 || revision < written);
        const wanted = isAhead ? [endpoint('cali1', '10.0.0.2')] : viewAt(revision);
        expect(texts(ahead.over(viewAt(revision), revision))).toEqual(texts(wanted));
      }
    }),
  );
});
