import { describe, expect, test } from 'vitest';
import { InvalidValueError } from '../../../src/model/invalid.ts';
import { configurationOf } from '../../../src/speaker/convert.ts';
import { ConfigurationError } from '../../../src/speaker/problems.ts';

const GOOD = { asn: 64512, bgpIdentifier: '10.0.0.1' };

function readPassword(file: string): string {
  if (file === 'good.key') return 'swordfish';
  throw new InvalidValueError('', file, 'cannot be read: there is no such file');
}

function problemsOf(input: unknown): readonly string[] {
  try {
    configurationOf(input, readPassword);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems;
  }
}

const ofFile = (more: object): readonly string[] => problemsOf({ ...GOOD, ...more });
const ofPeer = (peer: object, more: object = {}): readonly string[] =>
  ofFile({ peers: [{ address: '10.0.0.2', asn: 65001, ...peer }], ...more });
const ofRule = (rule: object): readonly string[] => ofFile({ filters: { f: [{ action: 'Accept', ...rule }] } });

const ASN = 'is not an AS number between 1 and 4294967295';

describe('every problem is one sentence with the path and the value', () => {
  test.each<[object, string]>([
    [{ asn: undefined }, 'asn is missing'],
    [{ asn: null }, 'asn has no value'],
    [{ asn: 'abc' }, `asn = 'abc': ${ASN}`],
    [{ asn: 0 }, `asn = '0': ${ASN}`],
    [{ asn: 4294967296 }, `asn = '4294967296': ${ASN}`],
    [{ asn: 1.1 }, "asn = '1.1': is not an AS number; a dotted one needs quotes"],
    [{ asn: true }, "asn = 'true': is not a number or a text"],
    [
      { bgpIdentifier: '0.0.0.0' },
      "bgpIdentifier = '0.0.0.0': is not four numbers with dots such as 10.0.0.1, other than 0.0.0.0",
    ],
    [
      { bgpIdentifier: '10.0.0.256' },
      "bgpIdentifier = '10.0.0.256': is not four numbers with dots such as 10.0.0.1, other than 0.0.0.0",
    ],
    [{ bgpIdentifier: 7 }, "bgpIdentifier = '7': is not a text"],
    [{ clusterId: '::1' }, "clusterId = '::1': is not four numbers with dots such as 10.0.0.1, other than 0.0.0.0"],
    [{ clusterid: '10.0.0.1' }, 'clusterid: is not known here; did you mean "clusterId"?'],
    [{ password: 'secret' }, 'password: is not known here'],
    [{ listen: [{ port: 179 }] }, 'listen[0].address is missing'],
    [{ listen: [{ address: 'eth0' }] }, "listen[0].address = 'eth0': is not an IP address"],
    [{ listen: [{ address: '::', port: 0 }] }, "listen[0].port = '0': is not a whole number between 1 and 65535"],
    [{ listen: [{ address: '::' }, { address: '::', port: 179 }] }, "listen[1] = ':: port 179': is listen[0] already"],
    [{ transit: 'yes' }, "transit = 'yes': is not true or false"],
    [{ socket: 'run/s' }, "socket = 'run/s': is not an absolute path"],
    [
      { socket: `/${'x'.repeat(107)}` },
      /^socket = '\/x{79}…': is too long: a unix socket has 107 octets at most$/ as never,
    ],
    [{ socketMode: 432 }, "socketMode = '432': is not a text"],
    [{ socketMode: '0999' }, "socketMode = '0999': is not a file mode in octal and in quotes, like '0660'"],
    [
      { log: { level: 'verbose' } },
      "log.level = 'verbose': is not one of trace, debug, info, warn, error, fatal, silent",
    ],
    [
      { log: { level: 'INFO' } },
      'log.level = \'INFO\': is not one of trace, debug, info, warn, error, fatal, silent; did you mean "info"?',
    ],
    [
      { gracefulRestart: { deferralSeconds: -1 } },
      "gracefulRestart.deferralSeconds = '-1': is not a whole number between 0 and 3600",
    ],
    [{ originate: '10.0.0.0/8' }, "originate = '10.0.0.0/8': is not a list"],
    [{ originate: ['10.0.0.1/8'] }, "originate[0] = '10.0.0.1/8': has host bits set; the network is 10.0.0.0/8"],
    [{ originate: [8] }, "originate[0] = '8': is not a text or a map"],
    [
      { originate: [{ prefix: '10.0.0.0/33' }] },
      "originate[0].prefix = '10.0.0.0/33': has no prefix length between 0 and 32",
    ],
    [{ originate: ['10.0.0.0/8', { prefix: '10.0.0.0/8' }] }, "originate[1] = '10.0.0.0/8': is originate[0] already"],
    [
      { originate: [{ prefix: '10.0.0.0/8', med: -1 }] },
      "originate[0].med = '-1': is not a whole number between 0 and 4294967295",
    ],
    [
      { originate: [{ prefix: '10.0.0.0/8', communities: ['1:2:3'] }] },
      "originate[0].communities[0] = '1:2:3': is a large community; here belongs a standard one such as 64512:100",
    ],
    [
      { originate: [{ prefix: '10.0.0.0/8', largeCommunities: ['1:2'] }] },
      "originate[0].largeCommunities[0] = '1:2': is not a large community such as 64512:1:2, three numbers up to 4294967295",
    ],
    [{ filters: { 'a b': [] } }, 'filters = \'a b\': is not a name: a letter, then letters, digits, ".", "_" or "-"'],
    [{ filters: [] }, "filters = '[]': is not a map"],
    [{ templates: { t: { tempalte: 't' } } }, 'templates.t.tempalte: is not known here'],
    [{ dynamicPeers: [{ prefix: '10.0.0.0/8' }] }, 'dynamicPeers[0].asns is missing'],
    [{ dynamicPeers: [{ prefix: '10.0.0.0/8', asns: [] }] }, "dynamicPeers[0].asns = '[]': is empty"],
    [
      { dynamicPeers: [{ prefix: '10.0.0.0/8', asn: 1, passive: 1 }] },
      "dynamicPeers[0].passive = '1': is not true or false",
    ],
    [
      {
        dynamicPeers: [
          { prefix: '::/0', asn: 1 },
          { prefix: '::/0', asn: 2 },
        ],
      },
      "dynamicPeers[1] = '::/0': is dynamicPeers[0] already",
    ],
  ])('%j', (more, sentence) => {
    expect(ofFile(more)).toEqual([typeof sentence === 'string' ? sentence : expect.stringMatching(sentence)]);
  });

  test.each<[object, string]>([
    [{ address: undefined }, 'peers[0].address is missing'],
    [{ address: 'tor' }, "peers[0].address = 'tor': is not an IP address"],
    [
      { address: '10.0.0.2%eth0' },
      "peers[0].address = '10.0.0.2%eth0': has an interface, which belongs to link-local addresses alone",
    ],
    [
      { address: 'fe80::2' },
      "peers[0].address = 'fe80::2': is link-local and needs its interface, such as fe80::2%eth0",
    ],
    [{ address: 'fe80::2%' }, "peers[0].address = 'fe80::2%': is not an IP address"],
    [
      { address: 'fe80::2%a-very-long-name' },
      "peers[0].address = 'fe80::2%a-very-long-name': is not the name of an interface",
    ],
    [{ asn: undefined }, 'peers[0].asn is missing'],
    [{ asn: 'abc' }, `peers[0].asn = 'abc': ${ASN}`],
    [{ hldSeconds: 3 }, 'peers[0].hldSeconds: is not known here; did you mean "holdSeconds"?'],
    [
      { holdSeconds: 2 },
      "peers[0].holdSeconds = '2': is below three seconds, which RFC 4271 does not allow; 0 turns it off",
    ],
    [{ holdSeconds: 1.5 }, "peers[0].holdSeconds = '1.5': is not a whole number between 0 and 65535"],
    [{ holdSeconds: 9, keepaliveSeconds: 9 }, "peers[0].keepaliveSeconds = '9': is no shorter than the hold time, 9"],
    [{ sendHoldSeconds: 240 }, "peers[0].sendHoldSeconds = '240': is no longer than the hold time, 240"],
    [{ errorWaitSeconds: [5] }, "peers[0].errorWaitSeconds = '[5]': is not two whole numbers such as [5, 30]"],
    [{ errorWaitSeconds: 5 }, "peers[0].errorWaitSeconds = '5': is not two whole numbers such as [5, 30]"],
    [{ errorWaitSeconds: [9, 5] }, "peers[0].errorWaitSeconds = '[9,5]': begins with the longer wait"],
    [{ families: ['ipv5'] }, 'peers[0].families[0] = \'ipv5\': is not one of ipv4, ipv6; did you mean "ipv4"?'],
    [{ families: [] }, "peers[0].families = '[]': is empty"],
    [{ localAddress: '::1' }, "peers[0].localAddress = '::1': is not of the family of the peer's address"],
    [{ nextHop: 'me' }, "peers[0].nextHop = 'me': is not one of auto, self, keep"],
    [
      { role: 'Customer' },
      'peers[0].role = \'Customer\': is not one of provider, rs, rs-client, customer, peer; did you mean "customer"?',
    ],
    [{ roleStrict: true }, "peers[0].roleStrict = 'true': needs a role"],
    [{ role: 'peer', asn: 64512 }, "peers[0].role = 'peer': is for peers of another AS, RFC 9234"],
    [{ routeServerClient: true, asn: 64512 }, "peers[0].routeServerClient = 'true': is for peers of another AS"],
    [{ routeReflectorClient: true }, "peers[0].routeReflectorClient = 'true': is for peers of our own AS, 64512"],
    [{ routeReflectorClient: true, asn: 64512 }, "peers[0].routeReflectorClient = 'true': needs a clusterId"],
    [{ ttlSecurityHops: 255 }, "peers[0].ttlSecurityHops = '255': is not a whole number between 1 and 254"],
    [{ addPath: { send: true } }, 'peers[0].addPath.receive is missing'],
    [{ bfd: { transmitMs: 1 } }, "peers[0].bfd.transmitMs = '1': is not a whole number between 10 and 60000"],
    [{ shutdown: 5 }, "peers[0].shutdown = '5': is not true or false or a text"],
    [{ template: 'tor' }, "peers[0].template = 'tor': is not a template of this file"],
    [{ importFilters: ['x'] }, "peers[0].importFilters[0] = 'x': is not a filter of this file"],
    [{ passwordFile: 'bad.key' }, "peers[0].passwordFile = 'bad.key': cannot be read: there is no such file"],
    [
      { password: 'p', passwordFile: 'good.key' },
      "peers[0].passwordFile = 'good.key': stands beside a password: only one of them can hold",
    ],
    [
      { prefixLimits: { ipv4: { maximum: 1, action: 'warn', restartSeconds: 1 } } },
      'peers[0].prefixLimits = \'{"ipv4":{"maximum":1,"warnPercent":75,"action":"warn","restartSeconds":1}}\': has restartSeconds, which go with action shutdown alone',
    ],
    [{ prefixLimits: { ipv4: { maximum: 1 } } }, 'peers[0].prefixLimits.ipv4.action is missing'],
  ])('a peer with %j', (peer, sentence) => {
    expect(ofPeer(peer)).toEqual([sentence]);
  });

  test.each<[object, string]>([
    [{ action: 'accept' }, 'filters.f[0].action = \'accept\': is not one of Accept, Reject; did you mean "Accept"?'],
    [{ cidr: '10.0.0.0/8' }, 'filters.f[0].matchOperator is missing'],
    [{ matchOperator: 'In' }, "filters.f[0].matchOperator = 'In': needs a cidr"],
    [{ prefixLength: { min: 8 } }, 'filters.f[0].prefixLength = \'{"min":8}\': needs a cidr'],
    [
      { cidr: '10.0.0.0/8', matchOperator: 'In', prefixLength: { max: 33 } },
      'filters.f[0].prefixLength = \'{"max":33}\': is no range from 0 to 32',
    ],
    [
      { cidr: '10.0.0.0/8', matchOperator: 'In', family: 'ipv6' },
      "filters.f[0].family = 'ipv6': is not the family of the cidr",
    ],
    [
      { action: 'Reject', operations: [{ setLocalPref: 1 }] },
      'filters.f[0].operations = \'[{"setLocalPref":1}]\': go with action Accept alone',
    ],
    [{ operations: [{}] }, "filters.f[0].operations[0] = '{}': is not exactly one operation"],
    [
      { operations: [{ addCommunity: { value: 'x' } }] },
      /^filters\.f\[0\]\.operations\[0\]\.addCommunity\.value = 'x': is neither a community such as 64512:100/ as never,
    ],
    [{ operations: [{ prependASPath: [] }] }, "filters.f[0].operations[0].prependASPath = '[]': is empty"],
    [
      { communities: { values: ['1:1', '1:2'] } },
      'filters.f[0].communities.values = \'["1:1","1:2"]\': is not a list of one community',
    ],
    [
      { priority: 5, localPref: 5 },
      "filters.f[0].localPref = '5': is what priority says already: only one of them can hold",
    ],
  ])('a rule with %j', (rule, sentence) => {
    expect(ofRule(rule)).toEqual([typeof sentence === 'string' ? sentence : expect.stringMatching(sentence)]);
  });

  test('a setting that was inherited is named where it was written, with the peer that it does not suit', () => {
    const templates = { t: { role: 'peer' } };
    expect(ofPeer({ asn: 64512, template: 't' }, { templates, defaults: { keepaliveSeconds: 300 } })).toEqual([
      "defaults.keepaliveSeconds = '300': is no shorter than the hold time, 240; peers[0] has it from there",
      "templates.t.role = 'peer': is for peers of another AS, RFC 9234; peers[0] has it from there",
    ]);
  });

  test('two peers at one place', () => {
    const peers = [
      { address: 'fe80::1%eth0', asn: 1 },
      { address: 'fe80::1%eth1', asn: 1 },
      { address: 'fe80::1', interface: 'eth0', asn: 2 },
    ];
    expect(ofFile({ peers })).toEqual(["peers[2] = 'fe80::1%eth0 port 179': is peers[0] already"]);
  });
});

test('all problems are told at once, whatever their kind', () => {
  const found = problemsOf({
    asn: 'abc',
    lisen: [],
    filters: { sane: [{ action: 'Accept' }] },
    peers: [{ address: '10.0.0.2', asn: 65001, importFilters: ['san'], passwordFile: 'bad.key' }, { asn: -1 }],
  });
  expect(found).toEqual([
    `asn = 'abc': ${ASN}`,
    'bgpIdentifier is missing',
    'peers[1].address is missing',
    `peers[1].asn = '-1': ${ASN}`,
    'lisen: is not known here; did you mean "listen"?',
    'peers[0].importFilters[0] = \'san\': is not a filter of this file; did you mean "sane"?',
    "peers[0].passwordFile = 'bad.key': cannot be read: there is no such file",
  ]);
});

test('a password is never told, in whatever way it is wrong', () => {
  const secret = 'swordfish'.repeat(10);
  const found = [
    ofPeer({ password: secret }),
    ofPeer({ pasword: secret }),
    ofFile({ defaults: [{ password: secret }] }),
    ofPeer({ password: 'swordfish', sendHoldSeconds: 3 }),
  ];
  expect(found.flat()).toHaveLength(4);
  expect(found.flat()[0]).toBe("peers[0].password = '***': has more than 80 octets, which TCP MD5 cannot take");
  expect(found.flat().join('\n')).not.toContain('swordfish');
});

test.each([[undefined], [null], ['text'], [[]], [7]])('a file that is %j is one problem', (input) => {
  expect(problemsOf(input)).toHaveLength(1);
});

test('keys that every object has are no names of anything', () => {
  expect(ofPeer({ template: 'constructor', importFilters: ['toString'] })).toHaveLength(2);
  expect(ofFile(JSON.parse('{"__proto__": {"asn": 1}, "hasOwnProperty": 1}') as object)).toHaveLength(2);
});
