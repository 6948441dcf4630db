/** A router of the trials as FRR's bgpd is told it. Pure. */
import type { Family } from './families.ts';
import type { Announced, Router, RouterSession } from './router.ts';

/** A line of bgpd's configuration holds 4095 characters. */
const WORDS_PER_LINE = 100;

/** With less than its usual second to gather routes FRR 8.4.4 says End-of-RIB before it tells its own. */
const RESTARTS = [
  ' bgp graceful-restart',
  ' bgp graceful-restart restart-time 60',
  ' bgp graceful-restart preserve-fw-state',
];

export function frrConfig(router: Router): string {
  const { id, asn, announce = [], sessions } = router;
  const lines = [
    ...announce.flatMap(routeMap),
    ...sessions.flatMap(({ refuse = [] }) => (refuse.length === 0 ? [] : refuseList(refuse))),
    `router bgp ${asn}`,
    ` bgp router-id ${id}`,
    ' no bgp ebgp-requires-policy',
    ' no bgp network import-check',
    ' no bgp default ipv4-unicast',
    ...(sessions.some(({ gracefulRestart }) => gracefulRestart) ? RESTARTS : [' coalesce-time 10']),
    ...sessions.flatMap(neighbor),
    ...family('ipv4', router),
    ...family('ipv6', router),
  ];
  return `${lines.join('\n')}\n`;
}

const nameOf = ({ prefix }: Announced): string => `AT-${prefix.replaceAll(/[:./]/g, '-')}`;

/** What a route carries, in as many entries as it takes: each adds to what the former has made. */
function routeMap(route: Announced): readonly string[] {
  const { asPath = [], communities = [], largeCommunities = [], routeTargets = [] } = route;
  const sets = [
    // The entry that comes last puts its numbers in front.
    ...chunks(asPath)
      .toReversed()
      .map((words) => `set as-path prepend ${words.join(' ')}`),
    ...chunks(communities).map((words) => `set community ${words.join(' ')} additive`),
    ...chunks(largeCommunities).map((words) => `set large-community ${words.join(' ')} additive`),
    ...chunks(routeTargets).map((words) => `set extcommunity rt ${words.join(' ')}`),
  ];
  return sets.flatMap((set, i) => [
    `route-map ${nameOf(route)} permit ${i + 1}`,
    ` ${set}`,
    ...(i === sets.length - 1 ? [] : [' on-match next']),
  ]);
}

function refuseList(refuse: readonly string[]): readonly string[] {
  const listOf = (prefix: string): string => (prefix.includes(':') ? 'ipv6 prefix-list' : 'ip prefix-list');
  return [
    ...refuse.map((prefix) => `${listOf(prefix)} REFUSE deny ${prefix}`),
    'ip prefix-list REFUSE seq 1000 permit any',
    'ipv6 prefix-list REFUSE seq 1000 permit any',
  ];
}

function neighbor(session: RouterSession): readonly string[] {
  const { local, neighbor: address, password, hops, interface: link } = session;
  return [
    `remote-as ${session.asn}`,
    'timers connect 1',
    'advertisement-interval 0',
    link === undefined ? `update-source ${local}` : `interface ${link}`,
    ...(password === undefined ? [] : [`password ${password}`]),
    ...(hops === undefined ? [] : [`ttl-security hops ${hops}`]),
    ...(session.bfd === true ? ['bfd', 'bfd 3 200 200'] : []),
  ].map((line) => ` neighbor ${address} ${line}`);
}

function family(name: Family, { announce = [], sessions }: Router): readonly string[] {
  const mine = announce.filter(({ prefix }) => prefix.includes(':') === (name === 'ipv6'));
  return [
    ` address-family ${name} unicast`,
    ...mine.flatMap(network),
    ...sessions.filter(({ families }) => families.includes(name)).flatMap(activate),
    ' exit-address-family',
  ];
}

/** One more path of a prefix is an aggregate, and needs a part of itself to be there. */
function network(route: Announced): readonly string[] {
  const { prefix } = route;
  if (route.again === true) {
    return [`  network ${prefix.replace(/\.\d+\/\d+$/, '.0/24')}`, `  aggregate-address ${prefix} summary-only`];
  }
  const hasMap = routeMap(route).length > 0;
  return [`  network ${prefix}${hasMap ? ` route-map ${nameOf(route)}` : ''}`];
}

const activate = ({ neighbor: address, addPath, limit, refuse = [] }: RouterSession): readonly string[] =>
  [
    'activate',
    ...(addPath === true ? ['addpath-tx-all-paths'] : []),
    ...(limit === undefined ? [] : [`maximum-prefix ${limit}`]),
    ...(refuse.length === 0 ? [] : ['prefix-list REFUSE in']),
  ].map((line) => `  neighbor ${address} ${line}`);

const chunks = <T>(all: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / WORDS_PER_LINE) }, (_, i) =>
    all.slice(i * WORDS_PER_LINE, (i + 1) * WORDS_PER_LINE),
  );
