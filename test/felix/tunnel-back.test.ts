/** tunl0 goes with its module and comes back with it, at a time and by a hand that are not ours. */
import { expect, test, vi } from 'vitest';
import { KernelError } from '../../felix/kernel.ts';
import { formatPrefix } from '../../src/model/ip.ts';
import { full, newHost, startWith } from '../support/dataplane-rig.ts';
import type { Rig } from '../support/dataplane-rig.ts';
import type { FakeKernel } from '../support/fake-kernel.ts';

/** From the event to the pass. */
const PASS_MS = 50;

const isWhole = ({ dataplane }: Rig): boolean => dataplane.routes().every(({ state }) => state === 'programmed');

const oursIn = async (kernel: FakeKernel): Promise<readonly string[]> =>
  [...(await kernel.listRoutes())].filter(({ protocol }) => protocol === 80).map(({ prefix }) => formatPrefix(prefix));

const programmed = ({ dataplane }: Rig): readonly string[] =>
  dataplane
    .routes()
    .filter(({ state }) => state === 'programmed')
    .map(({ route }) => formatPrefix(route.prefix));

const REFUSED = new KernelError('create ipip link tunl0: EOPNOTSUPP', 'EOPNOTSUPP');

test('refused while somebody else loads the module, it is there all the same: the same pass has everything back', async () => {
  const rig = await startWith(await newHost(), full);
  const create = rig.kernel.createLink.bind(rig.kernel);
  vi.spyOn(rig.kernel, 'createLink').mockImplementationOnce(async (link) => {
    await create(link);
    throw REFUSED;
  });
  await rig.kernel.deleteLink('tunl0');
  await rig.clock.advance(PASS_MS);
  expect(isWhole(rig)).toBe(true);
  expect(rig.dataplane.repairs()).toMatchObject({ counts: { link: 1 }, fights: [] });
});

test('refused until the module is there: the event of its coming is followed at once', async () => {
  const rig = await startWith(await newHost(), full);
  vi.spyOn(rig.kernel, 'createLink').mockRejectedValue(REFUSED);
  await rig.kernel.deleteLink('tunl0');
  // Long enough that tries of our own are far apart.
  await rig.clock.advance(9000);
  expect(isWhole(rig)).toBe(false);
  vi.restoreAllMocks();
  await rig.kernel.createLink({ kind: 'ipip', name: 'tunl0' });
  await rig.clock.advance(PASS_MS);
  expect(isWhole(rig)).toBe(true);
  expect(rig.dataplane.repairs()).toMatchObject({ counts: { link: 1 }, fights: [] });
});

test('the way back reads the routes once: what we do to a link takes none of them', async () => {
  const rig = await startWith(await newHost(), full);
  await rig.kernel.deleteLink('tunl0');
  const reads = vi.spyOn(rig.kernel, 'listRoutes');
  await rig.clock.advance(PASS_MS);
  expect(isWhole(rig)).toBe(true);
  expect(reads).toHaveBeenCalledTimes(1);
});

const gone = (kernel: FakeKernel): Promise<void> => kernel.deleteLink('eth0');
const down = async (kernel: FakeKernel): Promise<void> => {
  const eth0 = (await kernel.listLinks()).find(({ name }) => name === 'eth0')!;
  await kernel.setLink(eth0.index, { up: false });
};

test.each([gone, down])(
  'a link that is $name while tunl0 is made takes its routes along: none is believed to be there',
  async (deed) => {
    const rig = await startWith(await newHost(), full);
    const create = rig.kernel.createLink.bind(rig.kernel);
    vi.spyOn(rig.kernel, 'createLink').mockImplementationOnce(async (link) => {
      await create(link);
      await deed(rig.kernel);
    });
    const reads = vi.spyOn(rig.kernel, 'listRoutes');
    await rig.kernel.deleteLink('tunl0');
    await rig.clock.advance(PASS_MS);
    expect(reads).toHaveBeenCalledTimes(2);
    expect(await oursIn(rig.kernel)).toEqual(programmed(rig));
  },
);
