import { describe, expect, test } from 'vitest';
import { compilePolicy } from '../../../bird/policy/compiled.ts';
import { packPrefix } from '../../../bird/rib/prefix-table.ts';
import type { PathAttributes } from '../../../bird/wire.ts';
import { InvalidValueError } from '../../../src/model/invalid.ts';
import { formatIpAddress, formatPrefix, parseIpAddress, parsePrefix } from '../../../src/model/ip.ts';
import { configurationOf } from '../../../src/speaker/convert.ts';
import type { SpeakerConfiguration } from '../../../src/speaker/convert.ts';
import type { SpeakerFile } from '../../../src/speaker/schema.ts';

type Given = Partial<SpeakerFile>;

const SECRETS: Readonly<Record<string, string>> = { 'tor.key': 'swordfish' };

function readPassword(file: string): string {
  const secret = SECRETS[file];
  if (secret === undefined) throw new InvalidValueError('', file, 'cannot be read: there is no such file');
  return secret;
}

const converted = (given: Given): SpeakerConfiguration =>
  configurationOf({ asn: 64512, bgpIdentifier: '10.0.0.1', ...given }, readPassword);

const onlyPeer = (given: Given) => converted(given).peers[0]!;

describe('the speaker', () => {
  test('with nothing but its AS number and identifier listens everywhere, passes on, and has no peers', () => {
    expect(converted({})).toEqual({
      settings: {
        asn: 64512,
        bgpIdentifier: 0x0a000001,
        listen: [
          { address: '0.0.0.0', port: 179 },
          { address: '::', port: 179 },
        ],
        transit: true,
        gracefulRestart: { restarting: false, deferralSeconds: 30 },
      },
      peers: [],
      dynamicPeers: [],
      originated: [],
      socketPath: '/var/run/calico/calico-ts.sock',
      socketMode: 0o660,
      logLevel: 'info',
    });
  });

  test('has every setting of its own', () => {
    const { settings, logLevel, socketMode, socketPath } = converted({
      asn: '1.10',
      clusterId: '192.0.2.1',
      transit: false,
      listen: [{ address: '10.0.0.1', port: 1790, interface: 'eth0' }],
      decision: { alwaysCompareMed: true },
      gracefulRestart: { deferralSeconds: 5 },
      socket: '/run/s.sock',
      socketMode: '0666',
      log: { level: 'debug' },
    });
    expect(settings).toEqual({
      asn: 65546,
      bgpIdentifier: 0x0a000001,
      clusterId: 0xc0000201,
      transit: false,
      listen: [{ address: '10.0.0.1', port: 1790, interface: 'eth0' }],
      decision: { alwaysCompareMed: true, aigp: false },
      gracefulRestart: { restarting: false, deferralSeconds: 5 },
    });
    expect([logLevel, socketMode, socketPath]).toEqual(['debug', 0o666, '/run/s.sock']);
  });

  test('originates what is written short or in full', () => {
    const { originated } = converted({
      originate: [
        '203.0.113.0/24',
        '2001:db8::1',
        {
          prefix: '198.51.100.0/24',
          reason: 'the office',
          communities: ['64512:100', 'no-export', 'BLACKHOLE'],
          largeCommunities: ['64512:1:4294967295'],
          med: 50,
          localPref: 200,
        },
      ],
    });
    expect(originated.map(({ prefix, ...more }) => ({ prefix: formatPrefix(prefix), ...more }))).toEqual([
      { prefix: '203.0.113.0/24', reason: 'originate of the configuration' },
      { prefix: '2001:db8::1/128', reason: 'originate of the configuration' },
      {
        prefix: '198.51.100.0/24',
        reason: 'the office',
        attributes: {
          communities: [0xfc000064, 0xffffff01, 0xffff029a],
          largeCommunities: [[64512, 1, 0xffffffff]],
          med: 50,
          localPref: 200,
        },
      },
    ]);
  });
});

describe('a peer', () => {
  test("has the timers of Calico's BIRD where nothing else is said", () => {
    expect(onlyPeer({ peers: [{ address: '10.0.0.2', asn: 65001 }] })).toEqual({
      address: parseIpAddress('10.0.0.2'),
      port: 179,
      kind: 'eBGP',
      origin: 'peers[0]',
      remoteAsn: 65001,
      localAsn: 64512,
      families: [4],
      passive: false,
      holdSeconds: 240,
      connectDelaySeconds: 2,
      connectRetrySeconds: 5,
      errorWaitSeconds: [5, 30],
      gracefulRestartSeconds: 120,
      nextHop: 'auto',
      routeReflectorClient: false,
      allowOwnAsn: 0,
    });
  });

  const EVERYTHING = {
    port: 1790,
    localAsn: 64999,
    localAddress: '10.0.0.1',
    families: ['ipv6', 'ipv4'],
    passive: true,
    description: 'switch a',
    kind: 'switch',
    shutdown: 'maintenance',
    holdSeconds: 90,
    keepaliveSeconds: 10,
    sendHoldSeconds: 200,
    connectDelaySeconds: 1,
    dialAtStart: true,
    connectRetrySeconds: 7,
    errorWaitSeconds: [1, 2],
    delayOpenSeconds: 3,
    bfd: { multiplier: 5 },
    gracefulRestartSeconds: 60,
    notificationRestart: false,
    longLivedSeconds: 3600,
    password: 'swordfish',
    ttlSecurityHops: 1,
    addPath: { send: true, receive: false },
    extendedNextHop: true,
    extendedMessages: true,
    role: 'customer',
    roleStrict: true,
    nextHop: 'self',
    routeServerClient: true,
    allowOwnAsn: 2,
    asOverride: true,
    removePrivateAs: true,
    enforceFirstAs: true,
    requirePolicy: true,
    importFilters: ['in'],
    exportFilters: [],
    prefixLimits: { ipv4: { maximum: 10, action: 'shutdown', restartSeconds: 9 } },
  } as const satisfies NonNullable<SpeakerFile['defaults']>;

  const { roleStrict, passive, ...SAME } = EVERYTHING;
  const AS_BIRD_HAS_IT = {
    ...SAME,
    localAddress: parseIpAddress('10.0.0.1'),
    families: [4, 6],
    bfd: { transmitMs: 300, receiveMs: 300, multiplier: 5 },
    isRoleStrict: roleStrict,
    importFilters: [{ name: 'in', rules: [] }],
    prefixLimits: { 4: { maximum: 10, warnPercent: 75, action: 'shutdown', restartSeconds: 9 } },
  };

  test.each(['peer', 'template', 'defaults', 'dynamic'])('takes every setting from the %s', (place) => {
    const own = place === 'peer' || place === 'dynamic' ? EVERYTHING : {};
    const common = { asn: 65001, ...(place === 'template' && { template: 't' }), ...own };
    const file: Given = {
      filters: { in: [] },
      templates: place === 'template' ? { t: EVERYTHING } : {},
      defaults: place === 'defaults' ? EVERYTHING : {},
      ...(place === 'dynamic' ? { dynamicPeers: [{ prefix: '10.0.0.0/24', ...common }] } : {}),
      ...(place === 'dynamic' ? {} : { peers: [{ address: '10.0.0.2', ...common }] }),
    };
    const made = converted(file);
    if (place === 'dynamic') {
      expect(made.dynamicPeers[0]).toMatchObject({
        prefix: parsePrefix('10.0.0.0/24'),
        limit: 100,
        template: AS_BIRD_HAS_IT,
      });
      expect(made.dynamicPeers[0]?.template).not.toHaveProperty('passive');
    } else {
      expect(made.peers[0]).toMatchObject({ ...AS_BIRD_HAS_IT, passive });
    }
    expect(JSON.stringify(made)).not.toMatch(/roleStrict|"template":"t"/);
  });

  test('itself is stronger than its template, and that than the defaults', () => {
    const file: Given = {
      defaults: { holdSeconds: 10, port: 1, allowOwnAsn: 1, password: 'everybody' },
      templates: { t: { holdSeconds: 20, port: 2, passwordFile: 'tor.key' } },
      peers: [{ address: '10.0.0.2', asn: 65001, holdSeconds: 30, template: 't' }],
    };
    expect(onlyPeer(file)).toMatchObject({ holdSeconds: 30, port: 2, allowOwnAsn: 1, password: 'swordfish' });
  });

  test('may be on a link alone', () => {
    const peer = onlyPeer({ peers: [{ address: 'fe80::1%eth0', asn: 64512 }] });
    expect([formatIpAddress(peer.address), peer.interface, peer.families, peer.kind]).toEqual([
      ...['fe80::1', 'eth0', [6], 'iBGP'],
    ]);
    expect(onlyPeer({ peers: [{ address: 'fe80::1', interface: 'eth1', asn: 1 }] }).interface).toBe('eth1');
  });

  test('is called what it is: iBGP, eBGP, and whose client', () => {
    const { peers } = converted({
      clusterId: '10.0.0.1',
      peers: [
        { address: '10.0.0.2', asn: 64512, routeReflectorClient: true },
        { address: '10.0.0.3', asn: 65001, routeServerClient: true },
        { address: '10.0.0.4', asn: 65001, localAsn: 65001, shutdown: true },
        { address: '10.0.0.5', asn: 65001, shutdown: false },
      ],
    });
    expect(peers.map(({ kind, shutdown }) => [kind, shutdown])).toEqual([
      ['iBGP client', undefined],
      ['eBGP route server client', undefined],
      ['iBGP', ''],
      ['eBGP', undefined],
    ]);
  });

  test('of a range may have one of several AS numbers', () => {
    const { dynamicPeers } = converted({ dynamicPeers: [{ prefix: '10.0.0.0/24', asns: [65001, '1.1'], limit: 5 }] });
    expect(dynamicPeers).toMatchObject([{ limit: 5, remoteAsns: [65001, 65537], template: { remoteAsn: 65001 } }]);
  });
});

describe('a filter', () => {
  const policy = (rules: NonNullable<SpeakerFile['filters']>[string]) =>
    compilePolicy(
      onlyPeer({ filters: { f: rules }, peers: [{ address: '10.0.0.2', asn: 65001, importFilters: ['f'] }] })
        .importFilters,
    );
  const route = (prefix: string, attributes: PathAttributes = {}) => {
    const parsed = parsePrefix(prefix);
    const { family } = parsed.address;
    return { family, prefix: packPrefix(parsed), attributes, source: 'remotePeers', isExternal: true } as const;
  };

  test('takes the rules of a BGPFilter as they are, and its bare values', () => {
    const wrapped = policy([
      {
        action: 'Accept',
        cidr: '10.0.0.0/8',
        matchOperator: 'In',
        prefixLength: { max: 24 },
        source: 'RemotePeers',
        peerType: 'eBGP',
        communities: { values: ['64512:1:2'] },
        asPathPrefix: [65001, 65002],
        priority: 2147483547,
        operations: [
          { addCommunity: { value: '64512:100' } },
          { prependASPath: { prefix: [65001] } },
          { setPriority: { value: 2147483447 } },
        ],
      },
    ]);
    const bare = policy([
      {
        action: 'Accept',
        cidr: '10.0.0.0/8',
        matchOperator: 'In',
        prefixLength: { max: 24 },
        source: 'RemotePeers',
        peerType: 'eBGP',
        communities: '64512:1:2',
        asPathPrefix: [65001, 65002],
        localPref: 100,
        operations: [{ addCommunity: '64512:100' }, { prependASPath: [65001] }, { setLocalPref: 200 }],
      },
    ]);
    const attributes: PathAttributes = {
      asPath: [{ type: 'sequence', asns: [65001, 65002] }],
      largeCommunities: [[64512, 1, 2]],
    };
    for (const made of [wrapped, bare]) {
      expect(made.ruleFor(route('10.1.0.0/25', attributes))).toBe(-1);
      expect(made.ruleFor(route('10.1.0.0/24', attributes))).toBe(0);
      expect(made.ruleFor(route('10.1.0.0/24', { ...attributes, localPref: 101 }))).toBe(-1);
      expect(made.apply(0, attributes)).toMatchObject({
        communities: [0xfc000064],
        asPath: [{ type: 'sequence', asns: [65001, 65001, 65002] }],
        localPref: 200,
      });
    }
  });

  test('has both families in one list, and counts its rules as they are written', () => {
    const made = policy([
      { action: 'Reject', localPref: 7 },
      { action: 'Reject', cidr: '::/0', matchOperator: 'Equal' },
      { action: 'Accept', family: 'ipv4', cidr: '10.0.0.0/8', matchOperator: 'In' },
      { action: 'Accept', family: 'ipv6' },
    ]);
    const nameFor = (prefix: string, attributes: PathAttributes = {}): string =>
      made.nameOf(made.ruleFor(route(prefix, attributes)));
    expect(nameFor('2001:db8::/32', { localPref: 7 })).toBe('rule 1 of f');
    expect(nameFor('10.0.0.0/8', { localPref: 7 })).toBe('rule 1 of f');
    expect(nameFor('::/0')).toBe('rule 2 of f');
    expect(nameFor('10.0.0.0/8')).toBe('rule 3 of f');
    expect(nameFor('2001:db8::/32')).toBe('rule 4 of f');
    expect(nameFor('192.0.2.0/24')).toBe('no rule');
  });
});
