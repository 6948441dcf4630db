import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { LabSpeakerFile } from '../support/lab-speaker.ts';
import { runCli } from '../../src/cli/program.ts';
import { systemIo } from '../../src/cli/system-io.ts';
import { bird } from '../capture/daemons/bird.ts';
import { missingForLab } from '../support/bgp-lab.ts';
import { eventually } from '../support/eventually.ts';
import type { LabDaemon, LabSpeaker } from '../support/speaker-lab.ts';
import { SpeakerLab } from '../support/speaker-lab.ts';

const missing = missingForLab(...bird.programs);

let lab: SpeakerLab;

function labOf(name: string, ...hosts: readonly string[]): void {
  beforeEach(() => {
    lab = new SpeakerLab(name, hosts);
  });
  afterEach(() => lab.close());
}

async function cli(...args: readonly string[]): Promise<string> {
  let printed = '';
  const say = (text: string): void => void (printed += text);
  await runCli(args, { ...systemIo('test'), stdout: say, stderr: say });
  return printed;
}

interface BirdHost {
  readonly asn: number;
  readonly ourAsn: number;
  readonly routes?: readonly string[];
}

/** A BIRD that peers with the first host of the lab, over IPv4 and over IPv6. */
function birdOn(name: string, { asn, ourAsn, routes = [] }: BirdHost): Promise<LabDaemon> {
  const [us, them] = [lab.host('us'), lab.host(name)];
  const statics = (family: string): string =>
    routes
      .filter((route) => route.includes(':') === (family === 'ipv6'))
      .map((route) => `route ${route} blackhole; `)
      .join('');
  return lab.startDaemon(
    name,
    bird,
    `
router id ${them.ipv4};
protocol device {}
protocol static { ipv4; ${statics('ipv4')}}
protocol static { ipv6; ${statics('ipv6')}}
template bgp quick { graceful restart on; connect delay time 1; connect retry time 1; error wait time 1, 2; }
protocol bgp four from quick {
  local ${them.ipv4} as ${asn}; neighbor ${us.ipv4} as ${ourAsn}; ipv4 { import all; export all; };
}
protocol bgp six from quick {
  local ${them.ipv6} as ${asn}; neighbor ${us.ipv6} as ${ourAsn}; ipv6 { import all; export all; };
}
`,
  );
}

const has = (daemon: LabDaemon, protocol: string, prefixes: readonly string[]): Promise<void> =>
  eventually(() => {
    const routes = daemon.control(`show route protocol ${protocol}`);
    expect((routes.match(/^[0-9a-f.:]+\/\d+/gm) ?? []).sort()).toEqual(prefixes);
  });

describe.skipIf(missing !== undefined)(`an announcer beside a real BIRD 2 ${missing ?? ''}`, () => {
  labOf('ann', 'us', 'tor');

  const file = (originate: LabSpeakerFile['originate']): LabSpeakerFile => ({
    asn: 64512,
    transit: false,
    originate: originate ?? [],
    defaults: { asn: 65001 },
    peers: [{ address: lab.host('tor').ipv4 }, { address: lab.host('tor').ipv6 }],
  });

  async function start(): Promise<{ readonly tor: LabDaemon; readonly speaker: LabSpeaker }> {
    const tor = await birdOn('tor', { asn: 65001, ourAsn: 64512, routes: ['10.50.0.0/16', '2001:db8:50::/48'] });
    const speaker = await lab.startSpeaker('us', file(['10.1.0.0/16', '2001:db8:1::/48']));
    await speaker.established(lab.host('tor').ipv4);
    await speaker.established(lab.host('tor').ipv6);
    return { tor, speaker };
  }

  test('its routes arrive, SIGHUP adds and takes away without a flap, a wrong file changes nothing and says why', async () => {
    const { tor, speaker } = await start();
    await has(tor, 'four', ['10.1.0.0/16']);
    await has(tor, 'six', ['2001:db8:1::/48']);
    await eventually(async () =>
      expect(await speaker.prefixes()).toEqual(['10.1.0.0/16', '10.50.0.0/16', '2001:db8:1::/48', '2001:db8:50::/48']),
    );
    const { since } = await speaker.peer(lab.host('tor').ipv4);

    const communities = ['64512:100', 'GRACEFUL_SHUTDOWN'];
    const more = { prefix: '10.2.0.0/16', communities, largeCommunities: ['64512:1:2'] };
    expect(await speaker.reload(file(['2001:db8:1::/48', more]))).toEqual([]);
    await has(tor, 'four', ['10.2.0.0/16']);

    const wrong = JSON.stringify({ ...file(['10.3.0.0/16']), asn: 'abc', bgpIdentifier: '10.98.0.1' });
    const problem = "asn = 'abc': is not an AS number between 1 and 4294967295";
    expect(await speaker.reloadText(wrong)).toEqual([problem]);
    expect(speaker.log()).toContain(JSON.stringify(problem));
    expect(await cli('node', 'status', '--socket', speaker.socket)).toContain(`stays in force:\n${problem}\n`);
    await has(tor, 'four', ['10.2.0.0/16']);

    expect(await speaker.peer(lab.host('tor').ipv4)).toMatchObject({ state: 'Established', since, flaps: 0 });
    expect(await speaker.reload(file(['10.1.0.0/16']))).toEqual([]);
    await has(tor, 'four', ['10.1.0.0/16']);
    await has(tor, 'six', []);
    expect(await speaker.peer(lab.host('tor').ipv6)).toMatchObject({ state: 'Established', flaps: 0 });
  });

  test('calicoctl-ts looks at it as at an agent', async () => {
    const { speaker } = await start();
    const { ipv4, ipv6 } = lab.host('tor');
    const status = await cli('node', 'status', '--socket', speaker.socket);
    expect(status).toMatch(/^The speaker is running: AS 64512, BGP Identifier 10\.98\.0\.1\.\n\nIPv4 BGP status\n/);
    for (const address of [ipv4, ipv6]) {
      expect(status).toMatch(new RegExp(`\\| ${address} +\\| eBGP +\\| up +\\| [0-9:]+ \\| Established \\|`));
    }
    await eventually(async () => {
      const routes = await cli('routes', '--bgp', '--socket', speaker.socket);
      expect(routes).toMatch(/^10\.50\.0\.0\/16 +\* +10\.98\.0\.2 +65001 .* best path/m);
      expect(routes).toMatch(/^10\.1\.0\.0\/16 +\* .* originated by this node/m);
    });
    expect(await cli('routes', '--socket', speaker.socket)).toMatch(/^this is a speaker alone/);
  });

  test('SIGTERM is an upgrade: BIRD keeps the routes, the next process takes over, SIGINT withdraws', async () => {
    const { tor, speaker } = await start();
    await has(tor, 'four', ['10.1.0.0/16']);
    expect(await speaker.end('SIGTERM')).toBe(0);
    await eventually(() => expect(tor.control('show protocols four')).not.toContain('Established'));
    await has(tor, 'four', ['10.1.0.0/16']);

    const next = await lab.startSpeaker('us', file(['10.1.0.0/16']));
    await next.established(lab.host('tor').ipv4);
    expect(next.log()).toContain('"isRestart":true');
    await has(tor, 'four', ['10.1.0.0/16']);

    expect(await next.end('SIGINT')).toBe(0);
    await eventually(() =>
      expect(tor.control('show protocols all four')).toContain('Received: Administrative shutdown'),
    );
    await has(tor, 'four', []);
    const last = await lab.startSpeaker('us', file([]));
    await last.established(lab.host('tor').ipv4);
    expect([...last.log().matchAll(/"isRestart":(\w+)/g)].map(([, isRestart]) => isRestart)).toEqual([
      ...['false', 'true', 'false'],
    ]);
  });

  test('calicoctl-ts node stop ends it for good', async () => {
    const { tor, speaker } = await start();
    await has(tor, 'four', ['10.1.0.0/16']);
    await cli('node', 'stop', '--message', 'gone fishing', '--socket', speaker.socket);
    await has(tor, 'four', []);
    await eventually(async () =>
      expect(await cli('node', 'status', '--socket', speaker.socket)).toContain('not running'),
    );
  });
});

describe.skipIf(missing !== undefined)(`a reflector between two BIRDs ${missing ?? ''}`, () => {
  labOf('rr', 'us', 'a', 'b');

  test('passes on what its clients say, with ORIGINATOR_ID and CLUSTER_LIST, and another AS number is a restart', async () => {
    const a = await birdOn('a', { asn: 64512, ourAsn: 64512, routes: ['10.10.0.0/16', '2001:db8:10::/48'] });
    const b = await birdOn('b', { asn: 64512, ourAsn: 64512, routes: ['10.20.0.0/16'] });
    const client = { asn: 64512, routeReflectorClient: true };
    const file: LabSpeakerFile = {
      asn: 64512,
      clusterId: '192.0.2.1',
      templates: { client },
      peers: ['a', 'b'].flatMap((name) => {
        const { ipv4, ipv6 } = lab.host(name);
        return [ipv4, ipv6].map((address) => ({ address, template: 'client' }));
      }),
    };
    const speaker = await lab.startSpeaker('us', file);
    await has(b, 'four', ['10.10.0.0/16']);
    await has(b, 'six', ['2001:db8:10::/48']);
    await has(a, 'four', ['10.20.0.0/16']);
    const detail = b.control('show route all 10.10.0.0/16');
    expect(detail).toContain(`BGP.originator_id: ${lab.host('a').ipv4}`);
    expect(detail).toContain('BGP.cluster_list: 192.0.2.1');
    expect(detail).toContain(`BGP.next_hop: ${lab.host('a').ipv4}`);

    expect(await speaker.reload({ ...file, clusterId: '192.0.2.2' })).toEqual([]);
    await eventually(() => expect(b.control('show route all 10.10.0.0/16')).toContain('BGP.cluster_list: 192.0.2.2'));
  });
});

describe.skipIf(missing !== undefined)(`the examples of config/speaker ${missing ?? ''}`, () => {
  labOf('ex', 'us', 'a', 'b');

  const example = (name: string): LabSpeakerFile =>
    parse(readFileSync(`config/speaker/${name}.yaml`, 'utf8')) as LabSpeakerFile;
  const moveTo = (host: string, address: string): void =>
    void lab.host(host).run('ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');

  interface Member {
    readonly asn: number;
    readonly address: string;
    readonly us: string;
    readonly ourAsn: number;
    readonly route: string;
  }
  const member = (host: string, { asn, address, us, ourAsn, route }: Member): Promise<LabDaemon> => {
    moveTo(host, address);
    const config = `
router id ${address};
protocol device {}
protocol static { ipv4; route ${route} blackhole; }
protocol bgp four {
  local ${address} as ${asn}; neighbor ${us} as ${ourAsn}; ipv4 { import all; export all; };
  connect delay time 1; connect retry time 1; error wait time 1, 2;
}
`;
    return lab.startDaemon(host, bird, config);
  };

  test('announcer.yaml: the switch learns the service, and the other switch nothing of the first', async () => {
    moveTo('us', '192.0.2.10');
    const common = { asn: 64512, us: '192.0.2.10', ourAsn: 64600 };
    const a = await member('a', { ...common, address: '192.0.2.1', route: '10.50.0.0/16' });
    const b = await member('b', { ...common, address: '192.0.2.2', route: '10.51.0.0/16' });
    const speaker = await lab.startSpeaker('us', example('announcer'));
    await speaker.established('192.0.2.1');
    await speaker.established('192.0.2.2');
    for (const daemon of [a, b]) await has(daemon, 'four', ['203.0.113.10/32']);
  });

  test('reflector.yaml: a client is heard by the other reflector', async () => {
    moveTo('us', '192.0.2.20');
    const common = { asn: 64512, us: '192.0.2.20', ourAsn: 64512 };
    const other = await member('a', { ...common, address: '192.0.2.21', route: '10.50.0.0/16' });
    const client = await member('b', { ...common, address: '192.0.2.30', route: '10.51.0.0/16' });
    const speaker = await lab.startSpeaker('us', example('reflector'));
    await speaker.established('192.0.2.21');
    await speaker.established('192.0.2.30');
    await has(other, 'four', ['10.51.0.0/16']);
    await has(client, 'four', ['10.50.0.0/16']);
  });

  test('route-server.yaml: a member is let in', async () => {
    moveTo('us', '192.0.2.40');
    const common = { us: '192.0.2.40', ourAsn: 64500 };
    await member('a', { ...common, asn: 65001, address: '192.0.2.51', route: '198.51.100.0/24' });
    const speaker = await lab.startSpeaker('us', example('route-server'));
    await speaker.established('192.0.2.51');
    await eventually(async () => expect(await speaker.prefixes()).toContain('198.51.100.0/24'));
  });
});
