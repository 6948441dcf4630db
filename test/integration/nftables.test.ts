/** libnftables and the kernel's nftables, each test in a network namespace of its own. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLinuxNftables } from '../../felix/nat/linux-nftables.ts';
import { listingOf } from '../../felix/nat/listing.ts';
import type { Nftables } from '../../felix/nat/nftables.ts';
import { NftablesUnavailableError } from '../../felix/nat/nftables.ts';
import { removeNatTable } from '../../felix/nat/remove.ts';
import { fullTable, nftablesCompliance } from '../compliance/nftables.ts';
import { eventually } from '../support/eventually.ts';
import { isRoot, makeNetns } from '../support/netns.ts';
import type { TestNetns } from '../support/netns.ts';

const runs = isRoot || process.env['CI'] !== undefined;

const OTHERS = [
  'add table inet filter',
  'add chain inet filter input { type filter hook input priority 0; }',
  'add rule inet filter input tcp dport 22 accept',
  'add table ip calico-ts',
  'add set ip calico-ts theirs { type ipv4_addr; elements = { 10.0.0.1 }; }',
  'add table ip nat',
  'add chain ip nat postrouting { type nat hook postrouting priority srcnat; }',
  'add rule ip nat postrouting ip saddr 10.1.0.0/16 masquerade',
].join('\n');

/** Where the system has it: where we have it from, once we have it. */
async function installedLibrary(): Promise<string> {
  const nftables = createLinuxNftables();
  await nftables.read();
  await nftables.close();
  const [path = ''] = /\/\S*libnftables\.so\S*/.exec(readFileSync('/proc/self/maps', 'utf8')) ?? [];
  return path;
}

describe.runIf(runs)('on the real kernel', () => {
  nftablesCompliance('libnftables', () => {
    const netns = makeNetns('ctn-nft');
    return {
      nftables: createLinuxNftables({ netns: netns.path }),
      loseTable: () => void netns.run('nft', 'delete table inet calico-ts'),
      eventually,
      close: netns.remove,
    };
  });

  describe('beside the tables of others', () => {
    let netns: TestNetns;
    let nftables: Nftables;

    beforeEach(() => {
      netns = makeNetns('ctn-nft');
      nftables = createLinuxNftables({ netns: netns.path });
      netns.run('nft', OTHERS);
    });
    afterEach(async () => {
      await nftables.close();
      netns.remove();
    });

    test('theirs stay as they are, one of our name in another family too, and change without a word to us', async () => {
      const theirs = netns.run('nft', '-s', 'list', 'ruleset');
      const heard: (string | undefined)[] = [];
      await nftables.watch((by) => void heard.push(by));
      await nftables.replace(fullTable());
      expect(await removeNatTable(nftables)).toBe(true);
      expect(netns.run('nft', '-s', 'list', 'ruleset')).toBe(theirs);
      await nftables.replace(fullTable());
      await nftables.read();
      netns.run('nft', 'add element ip calico-ts theirs { 10.0.0.2 }');
      netns.run('nft', 'delete table ip nat');
      netns.run('nft', 'flush table inet calico-ts');
      await eventually(() => heard.length > 0);
      expect(heard).toEqual([expect.stringMatching(/^process \d+ \(nft\)$/)]);
    });

    test.each([
      ['a rule', 'add rule inet calico-ts postrouting accept'],
      ['an element', 'add element inet calico-ts inside-ipv4 { 198.18.0.0/15 }'],
      ['a range of addresses', 'add element inet calico-ts inside-ipv4 { 198.18.0.1-198.18.0.9 }'],
      ['a set', 'add set inet calico-ts another { type ipv4_addr; }'],
      ['a table that sleeps', 'add table inet calico-ts { flags dormant; }'],
      ['a rule fewer', 'flush chain inet calico-ts postrouting'],
    ])('%s that somebody else makes shows in the listing', async (_, command) => {
      await nftables.replace(fullTable());
      netns.run('nft', command);
      expect(await nftables.read()).not.toEqual(listingOf(fullTable()));
    });

    test('our own namespace is left alone', async () => {
      const tables = (): string => execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' });
      const before = tables();
      await nftables.replace(fullTable());
      expect(tables()).toBe(before);
      expect(netns.run('nft', 'list', 'tables')).toContain('inet calico-ts');
    });
  });

  test('without the library it says what to install, and uses it as soon as it is there', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ctn-nft-'));
    const netns = makeNetns('ctn-nft');
    const library = join(directory, 'libnftables.so.1');
    const nftables = createLinuxNftables({ netns: netns.path, library });
    try {
      await expect(nftables.read()).rejects.toThrow(
        new NftablesUnavailableError(`${library} cannot be loaded: install libnftables (Debian: libnftables1)`),
      );
      symlinkSync(await installedLibrary(), library);
      await nftables.replace(fullTable());
      expect(netns.run('nft', 'list', 'tables')).toContain('inet calico-ts');
    } finally {
      await nftables.close();
      netns.remove();
      rmSync(directory, { recursive: true });
    }
  });
});
