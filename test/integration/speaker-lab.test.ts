/** The lab itself: each daemon comes up in it and talks to our speaker; the wires are what they are said to be. */
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { bird } from '../capture/daemons/bird.ts';
import { exabgp } from '../capture/daemons/exabgp.ts';
import { frr } from '../capture/daemons/frr.ts';
import { gobgp } from '../capture/daemons/gobgp.ts';
import { openbgpd } from '../capture/daemons/openbgpd.ts';
import type { Daemon } from '../capture/daemon.ts';
import { missingForLab } from '../support/bgp-lab.ts';
import { eventually } from '../support/eventually.ts';
import { SpeakerLab } from '../support/speaker-lab.ts';

const US = '10.98.0.1';
const THEM = '10.98.0.2';

/** AS 65001, one route, 10.50.0.0/16; each in its own words. */
const CONFIGS: readonly (readonly [Daemon, string])[] = [
  [
    bird,
    `router id ${THEM}; protocol device {} protocol static { ipv4; route 10.50.0.0/16 blackhole; }
     protocol bgp ours { local ${THEM} as 65001; neighbor ${US} as 64512; ipv4 { import all; export all; }; }`,
  ],
  [
    frr,
    `router bgp 65001
 bgp router-id ${THEM}
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor ${US} remote-as 64512
 address-family ipv4 unicast
  network 10.50.0.0/16
 exit-address-family
`,
  ],
  [
    gobgp,
    `[global.config]
  as = 65001
  router-id = "${THEM}"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${US}"
    peer-as = 64512
`,
  ],
  [
    openbgpd,
    `AS 65001
router-id ${THEM}
fib-update no
socket "SOCKET"
network 10.50.0.0/16
neighbor ${US} { remote-as 64512 }
allow from any
allow to any
`,
  ],
  [
    exabgp,
    `neighbor ${US} {
  router-id ${THEM}; local-address ${THEM}; local-as 65001; peer-as 64512;
  static { route 10.50.0.0/16 next-hop ${THEM}; }
}
`,
  ],
];

let lab: SpeakerLab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

for (const [daemon, config] of CONFIGS) {
  const missing = missingForLab(...daemon.programs);
  test.skipIf(missing !== undefined)(`${daemon.name} and our speaker agree ${missing ?? ''}`, async () => {
    lab = new SpeakerLab('smoke', ['us', 'them']);
    const them = await lab.startDaemon('them', daemon, config);
    const speaker = await lab.startSpeaker('us', { asn: 64512, peers: [{ address: THEM, asn: 65001 }] });
    await speaker.established(THEM);
    if (daemon === gobgp) them.control('global rib add -a ipv4 10.50.0.0/16');
    await eventually(async () => expect(await speaker.prefixes()).toEqual(['10.50.0.0/16']));
    await them.kill();
    await eventually(async () => expect((await speaker.peer(THEM)).state).not.toBe('Established'));
  });
}

describe.skipIf(missingForLab() !== undefined)('the wires', () => {
  test('a router between two hosts takes one off the TTL, and nothing is left behind', async () => {
    lab = new SpeakerLab('ttl', ['a', 'b']);
    lab.addRouter('r');
    const [left, right] = [lab.link('a', 'r'), lab.link('r', 'b')];
    lab.host('a').run('ip', 'route', 'add', '10.98.2.0/24', 'via', left.right.ipv4);
    lab.host('b').run('ip', 'route', 'add', '10.98.1.0/24', 'via', right.left.ipv4);
    expect(lab.host('a').run('ping', '-c1', '-W2', right.right.ipv4)).toContain('ttl=63');
    expect(lab.host('a').run('ping', '-c1', '-W2', lab.host('b').ipv6)).toContain('ttl=64');
    expect(lab.host('a').run('ping', '-c1', '-W2', 'fe80::2%eth0')).toContain('ttl=64');
    const { directory } = lab;
    const namespaces = ['a', 'b', 'r'].map((host) => lab!.host(host).netns.path);
    await lab.close();
    expect([directory, ...namespaces].filter((path) => existsSync(path))).toEqual([]);
  });
});
