import { beforeEach, expect, test } from 'vitest';
import { decodeAttributes, readText, readU32 } from '../../../felix/netlink/attribute.ts';
import type { Request, Verdict } from '../../../felix/netlink/header.ts';
import { LinkRemover } from '../../../felix/netlink/link-remover.ts';
import type { SlowSocket } from '../../../felix/netlink/link-remover.ts';

const ENODEV = 19;
const EOPNOTSUPP = 95;
const IFINFO_OCTETS = 16;

/** Links by name, and the group that each is in. What removes some answers when the test lets it. */
class Links {
  readonly groups = new Map<string, number>();
  readonly fixed = new Set<string>();
  readonly said: string[] = [];
  readonly #held: (() => void)[] = [];
  opened = 0;

  open(): SlowSocket {
    this.opened++;
    return {
      execute: (request) => this.#execute(request),
      executeAll: (requests) => Promise.all(requests.map((request) => this.#execute(request))),
      close: () => Promise.resolve(),
    };
  }

  /** Lets all answer that wait. */
  async answer(): Promise<void> {
    for (const go of this.#held.splice(0)) go();
    await turns();
  }

  async #execute({ type, body }: Request): Promise<Verdict> {
    const attributes = decodeAttributes(body.subarray(IFINFO_OCTETS));
    const [name, group] = [attributes.get(3), attributes.get(27)];
    if (type === 19) return this.#join(readText(name!), readU32(group!));
    const isMeant = ([each, of]: readonly [string, number]): boolean =>
      name === undefined ? of === readU32(group!) : each === readText(name);
    const meant = [...this.groups].filter(isMeant).map(([each]) => each);
    this.said.push(name === undefined ? `group of ${meant.join(' ')}` : readText(name));
    if (meant.length === 0) return { errno: ENODEV };
    if (meant.some((each) => this.fixed.has(each))) return { errno: EOPNOTSUPP };
    for (const each of meant) this.groups.delete(each);
    await new Promise<void>((resolve) => this.#held.push(resolve));
    return { errno: 0 };
  }

  #join(name: string, group: number): Verdict {
    if (!this.groups.has(name)) return { errno: ENODEV };
    this.groups.set(name, group);
    return { errno: 0 };
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => void setImmediate(resolve));
}

let links: Links;
let remover: LinkRemover;

beforeEach(() => {
  links = new Links();
  for (const name of ['a', 'b', 'c', 'd', 'other']) links.groups.set(name, 0);
  remover = new LinkRemover({
    open: () => links.open(),
    isGone: (name) => Promise.resolve(!links.groups.has(name)),
  });
});

test('is done when the link is seen to be gone, whenever the kernel answers', async () => {
  expect(await remover.remove('a')).toEqual({ errno: 0 });
  expect(links.groups.has('a')).toBe(false);
});

test('a link that is not there, or may not go, is the kernel’s to tell', async () => {
  links.fixed.add('b');
  expect(await remover.remove('none')).toEqual({ errno: ENODEV });
  expect(await remover.remove('b')).toEqual({ errno: EOPNOTSUPP });
  expect(links.groups.has('b')).toBe(true);
});

test('two are removed at once, and those that wait for them as one; nobody else’s goes with them', async () => {
  const first = [remover.remove('a'), remover.remove('b')];
  await Promise.all(first);
  const others = ['c', 'none', 'd'].map((name) => remover.remove(name));
  await turns();
  expect(links.said).toEqual(['a', 'b']);
  await links.answer();
  expect(await Promise.all(others)).toEqual([{ errno: 0 }, { errno: ENODEV }, { errno: 0 }]);
  expect(links.said).toEqual(['a', 'b', 'group of c d']);
  expect([...links.groups.keys()]).toEqual(['other']);
  expect(links.opened).toBe(2);
});

test('one that may not go keeps none of the others', async () => {
  links.fixed.add('d');
  await Promise.all([remover.remove('a'), remover.remove('b')]);
  const others = ['c', 'd'].map((name) => remover.remove(name));
  await links.answer();
  await turns();
  await links.answer();
  expect(await Promise.all(others)).toEqual([{ errno: 0 }, { errno: EOPNOTSUPP }]);
  expect([...links.groups.keys()]).toEqual(['d', 'other']);
});
