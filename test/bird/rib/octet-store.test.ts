import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OctetStore } from '../../../bird/rib/octet-store.ts';

/** So that chunks of 64 KiB fill and empty in a few steps. */
const LENGTHS = [0, 1, 4, 9000, 30_000, 65_520, 65_528, 65_529, 70_000];

const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(30), fc.constantFrom(...LENGTHS)), { maxLength: 120 });

function run(list: readonly (readonly [boolean, number, number])[]) {
  const places = new Map<number, number>();
  const model = new Map<number, Uint8Array>();
  let moves = 0;
  const store = new OctetStore((owner, place) => {
    expect(places.has(owner)).toBe(true);
    places.set(owner, place);
    moves++;
  });
  for (const [step, [isIn, owner, length]] of list.entries()) {
    const place = places.get(owner);
    if (place !== undefined) {
      places.delete(owner);
      model.delete(owner);
      store.remove(place);
    }
    if (!isIn) continue;
    const octets = new Uint8Array(length + 2).fill(step + 1);
    model.set(owner, octets.slice(1, length + 1));
    places.set(owner, store.add(owner, octets, 1, length + 1));
  }
  return { store, places, model, moves };
}

test('OctetStore keeps what was added and not removed, wherever it moves to', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const { store, places, model } = run(list);
      for (const [owner, octets] of model) {
        const place = places.get(owner)!;
        const start = store.startOf(place);
        expect(store.lengthOf(place)).toBe(octets.length);
        expect(Buffer.compare(store.octetsOf(place).subarray(start, start + octets.length), octets)).toBe(0);
        expect(store.isSame(place, octets, 0, octets.length)).toBe(true);
        if (octets.length > 0) expect(store.isSame(place, octets, 1, octets.length)).toBe(false);
      }
      const used = [...model.values()].reduce((sum, { length }) => sum + 8 + Math.ceil(length / 4) * 4, 0);
      expect(store.sizes.used).toBe(used);
    }),
  );
});

test('takes no more than about twice of what is in it, and nothing when it is empty', () => {
  const octets = new Uint8Array(100);
  const places = new Map<number, number>();
  const store = new OctetStore((owner, place) => places.set(owner, place));
  for (let owner = 0; owner < 50_000; owner++) places.set(owner, store.add(owner, octets, 0, 100));
  const full = store.sizes.held;
  const remove = (owner: number): void => {
    const place = places.get(owner)!;
    places.delete(owner);
    store.remove(place);
  };
  // Every tenth stays, so that no chunk empties by itself.
  for (let owner = 0; owner < 50_000; owner++) if (owner % 10 !== 0) remove(owner);
  expect([full, store.sizes.held / store.sizes.used]).toEqual([expect.closeTo(5_460_000, -5), expect.any(Number)]);
  expect(store.sizes.held).toBeLessThan(2 * store.sizes.used + 6 * 65_536);
  for (const owner of [...places.keys()]) remove(owner);
  expect(store.sizes.used).toBe(0);
  expect(store.sizes.held).toBeLessThanOrEqual(5 * 65_536);
});
