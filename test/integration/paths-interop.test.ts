import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  BgpLab,
  missingForLab,
  NODE_ADDRESS,
  NODE_ADDRESS6,
  SWITCH_ADDRESS,
  SWITCH_ADDRESS6,
} from '../support/bgp-lab.ts';
import type { SpeakerHandle } from '../support/bgp-lab.ts';
import { eventually } from '../support/eventually.ts';

/** Two ways to 10.50.0.0/16, told on the first session; what comes back on the second is kept, though it was here before. */
const BIRD_CONFIG = `
router id ${SWITCH_ADDRESS};
protocol device {}
protocol static near { ipv4 { preference 210; }; route 10.50.0.0/16 blackhole { bgp_community.add((65001,1)); }; }
protocol static far { ipv4 { preference 200; }; route 10.50.0.0/16 blackhole { bgp_community.add((65001,2)); }; }
ipv4 table back;
template bgp tor {
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  enable extended messages on;
}
protocol bgp node from tor {
  local role provider;
  local ${SWITCH_ADDRESS} as 65001; neighbor ${NODE_ADDRESS} as 64512;
  ipv4 { import all; export all; add paths on; };
}
protocol bgp node6 from tor {
  local ${SWITCH_ADDRESS6} as 65001; neighbor ${NODE_ADDRESS6} as 64512;
  allow local as 1;
  ipv4 { table back; import all; export none; add paths rx; extended next hop on; };
}
`;

const BOTH = { send: true, receive: true };
const ASKED = { addPath: BOTH, extendedMessages: true, extendedNextHop: true };
const PEERS = [
  {
    address: SWITCH_ADDRESS,
    remoteAsn: 65001,
    localAddress: NODE_ADDRESS,
    role: 'customer',
    isRoleStrict: true,
    ...ASKED,
  } as const,
  { address: SWITCH_ADDRESS6, remoteAsn: 65001, localAddress: NODE_ADDRESS6, ...ASKED },
];

let lab: BgpLab;
let speaker: SpeakerHandle;

const missing = missingForLab('/usr/sbin/bird', '/usr/sbin/birdc');

beforeEach(async () => {
  lab = new BgpLab('paths');
  lab.startBird(BIRD_CONFIG);
  speaker = await lab.speaker({ transit: true });
  await speaker.tell({ do: 'setOriginated', prefixes: ['192.168.5.0/26'] });
  await speaker.tell({ do: 'setPeers', peers: PEERS });
});
afterEach(() => lab.close());

test.skipIf(missing !== undefined)(
  'BIRD: several paths both ways, IPv4 by IPv6 next hops, roles, and a refresh between marks',
  async () => {
    await eventually(async () => {
      const { peers, paths } = await speaker.status();
      expect(peers.map(({ state }) => state)).toEqual(['Established', 'Established']);
      const learned = paths.filter(({ prefix }) => prefix === '10.50.0.0/16');
      expect(learned).toHaveLength(2);
      expect(new Set(learned.map(({ pathId }) => pathId)).size).toBe(2);
    });
    await eventually(() => {
      const back = lab.birdc('show', 'route', 'table', 'back', 'all');
      expect(back.match(/^10\.50\.0\.0\/16|^\s+unicast/gm)?.length).toBeGreaterThanOrEqual(2);
      expect(back).toContain('192.168.5.0/26');
      expect(back).toContain(`BGP.next_hop: ${NODE_ADDRESS6}`);
      expect(back).toContain('(65001,1)');
      expect(back).toContain('(65001,2)');
    });
    expect(lab.birdc('show', 'protocols', 'all', 'node6')).toMatch(/Enhanced refresh[\s\S]*Extended message/);
    lab.birdc('reload', 'in', 'node6');
    await eventually(() => {
      const stats = lab.birdc('show', 'route', 'table', 'back', 'count');
      expect(stats).toContain('3 of 3 routes');
    });
    expect((await speaker.status()).peers.every(({ state }) => state === 'Established')).toBe(true);
  },
);
