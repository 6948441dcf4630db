import { describe, expect, test } from 'vitest';
import { TableChanges, TableWatch } from '../../../felix/nat/table-watch.ts';
import type { TableChange } from '../../../felix/nat/table-watch.ts';
import { concat, encodeAttributes, textOctets } from '../../../felix/netlink/attribute.ts';
import { encodeRequests } from '../../../felix/netlink/header.ts';
import type { Heard, Performer } from '../../../felix/netlink/thread.ts';
import { fakeLibc } from '../../support/fake-libc.ts';

const NFTABLES = 10 << 8;
const [NEWTABLE, DELRULE, NEWGEN] = [0, 8, 15];
const [INET, IPV4] = [1, 2];

const bigEndian = (value: number): Uint8Array => {
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setUint32(0, value);
  return octets;
};
const message = (type: number, family: number, attributes: readonly (readonly [number, Uint8Array])[]) => ({
  ...{ type: NFTABLES | type, flags: 0 },
  body: concat([Uint8Array.of(family, 0, 0, 0), encodeAttributes(attributes.map(([id, value]) => [id, value]))]),
});
const touched = (type: number, family: number, table: string) => message(type, family, [[1, textOctets(table)]]);
const generation = (id: number, pid = 71, name = 'nft') =>
  message(NEWGEN, 0, [
    [1, bigEndian(id)],
    [2, bigEndian(pid)],
    [3, textOctets(name)],
  ]);
const datagram = (...messages: readonly ReturnType<typeof message>[]): Heard => encodeRequests(messages, 1);
const ours = (id: number): Heard => datagram(touched(DELRULE, INET, 'calico-ts'), generation(id));

describe('what a watching socket hears', () => {
  const read = (...heard: readonly Heard[]): readonly TableChange[] => {
    const changes = new TableChanges();
    return heard.flatMap((one) => changes.read(one));
  };

  test('is one change for each transaction that touched our table, with its generation and who made it', () => {
    const twice = datagram(touched(NEWTABLE, INET, 'calico-ts'), touched(DELRULE, INET, 'calico-ts'), generation(8));
    expect(read(ours(7), twice)).toEqual([
      { generation: 7, by: 'process 71 (nft)' },
      { generation: 8, by: 'process 71 (nft)' },
    ]);
  });

  test('is nothing where others change theirs, a table of our name in another family among them, before or after us', () => {
    const theirs = datagram(touched(NEWTABLE, INET, 'filter'), touched(NEWTABLE, IPV4, 'calico-ts'), generation(7));
    expect(read(theirs)).toEqual([]);
    expect(read(ours(6), theirs).map(({ generation: id }) => id)).toEqual([6]);
  });

  test('may come in pieces, and the end without a doer', () => {
    expect(read(datagram(touched(NEWTABLE, INET, 'calico-ts')), datagram(message(NEWGEN, 0, [])))).toEqual([{}]);
  });

  test('may be lost: then it may have been about us', () => {
    expect(read('overrun')).toEqual([{}]);
  });
});

/** A watch over a thread of the test's own, whose questions wait until they are answered with a generation. */
async function watching() {
  let say: (heard: Heard) => Promise<void> = () => Promise.resolve();
  const questions: ((id: number | undefined) => void)[] = [];
  const thread: Performer = {
    watch: (_, listener) => {
      say = listener;
      return Promise.resolve();
    },
    forget: () => Promise.resolve(),
    perform: (task) =>
      new Promise((resolve, reject) => {
        questions.push((id) => {
          if (id === undefined || task.do !== 'exchange') reject(new Error('no answer'));
          else resolve({ octets: encodeRequests([generation(id)], task.until) });
        });
      }),
  };
  const nothing = (): undefined => undefined;
  const libc = fakeLibc({ socket: () => 3, bind: nothing, setSocketOption: nothing, close: nothing });
  const heard: (string | undefined)[] = [];
  const watch = new TableWatch(libc, thread, (by) => void heard.push(by));
  await watch.start();
  /** Reads the table; `meanwhile` comes while the generation is asked for. */
  const mark = async (id: number | undefined, ...meanwhile: readonly Heard[]): Promise<void> => {
    const marked = watch.mark();
    for (const one of meanwhile) await say(one);
    questions.shift()!(id);
    await marked;
  };
  return { watch, heard, mark, say: (one: Heard) => say(one) };
}

describe('a watch', () => {
  test('tells nothing of what a reader has seen, whenever it comes', async () => {
    const { heard, mark, say } = await watching();
    await mark(7, ours(6));
    await say(ours(7));
    expect(heard).toEqual([]);
    await say(ours(8));
    expect(heard).toEqual(['process 71 (nft)']);
  });

  test('tells of what came after the kernel was asked', async () => {
    const { heard, mark } = await watching();
    await mark(7, ours(7), ours(8));
    expect(heard).toEqual(['process 71 (nft)']);
  });

  test('tells of everything before anybody has read, of lost events always, and where the kernel does not answer', async () => {
    const { heard, mark, say } = await watching();
    await say(ours(3));
    await mark(7, 'overrun');
    expect(heard).toEqual(['process 71 (nft)', undefined]);
    await mark(undefined, ours(8));
    expect(heard).toHaveLength(3);
  });

  test('counts generations round 32 bits', async () => {
    const { heard, mark, say } = await watching();
    await mark(0xffff_fffe);
    await say(ours(0xffff_fffd));
    expect(heard).toEqual([]);
    await say(ours(2));
    expect(heard).toHaveLength(1);
  });

  test('is silent once it is closed', async () => {
    const { watch, heard, say } = await watching();
    await watch.close();
    await say(ours(9));
    expect(heard).toEqual([]);
  });
});
