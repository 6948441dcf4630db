/** BIRD 2 as a router of the trials. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bird as daemon } from '../capture/daemons/bird.ts';
import type { Family } from './families.ts';
import type { Daemon } from '../capture/daemon.ts';
import type { LabDaemon, SpeakerLab } from '../support/speaker-lab.ts';
import type { Announced, Foreign, ForeignKind, ForeignPath, Router, RouterSession } from './router.ts';

export const bird: ForeignKind = {
  start: async (lab, host, router) =>
    new RunningBird({ lab, host }, router, await lab.startDaemon(host, daemon, birdConfig(router))),
};

/** Takes up what a process that was killed has left in the kernel and at the neighbors. */
const recovering: Daemon = {
  ...daemon,
  start: (on, config) =>
    daemon.start({ ...on, startDaemon: (command, ...args) => on.startDaemon(command, ...args, '-R') }, config),
};

class RunningBird implements Foreign {
  readonly #place: { readonly lab: SpeakerLab; readonly host: string };
  #router: Router;
  #daemon: LabDaemon;

  constructor(place: { readonly lab: SpeakerLab; readonly host: string }, router: Router, running: LabDaemon) {
    this.#place = place;
    this.#router = router;
    this.#daemon = running;
  }

  isEstablished(neighbor: string): boolean {
    return /BGP state:\s+Established/.test(this.shows(neighbor));
  }

  prefixes(family: Family): readonly string[] {
    const shown = this.#daemon.control(`show route table master${family.charAt(3)} where source = RTS_BGP`);
    return [...new Set(shown.match(/^[\da-f.:]+\/\d+/gm))].sort();
  }

  paths(prefix: string): readonly ForeignPath[] {
    const shown = this.#daemon.control(`show route all ${prefix} where source = RTS_BGP`);
    return shown
      .split(/^(?=\S*\s+\w+ \[n\d)/m)
      .slice(1)
      .map(pathOf);
  }

  /** It shows the first 250 octets of a value, and so is asked for lengths and ends. */
  carries(prefix: string, asPath: readonly number[], communities: readonly string[]): boolean {
    const conditions = [
      `bgp_path.len = ${asPath.length} && bgp_path.first = ${asPath[0]} && bgp_path.last = ${asPath.at(-1)}`,
      `bgp_community.len = ${communities.length}`,
      ...communities.slice(-1).map((text) => `bgp_community ~ [(${text.replace(':', ',')})]`),
    ];
    return this.#daemon
      .control(`show route ${prefix} where source = RTS_BGP && ${conditions.join(' && ')}`)
      .includes(prefix);
  }

  shows(neighbor: string): string {
    return this.#daemon.control(`show protocols all ${this.#protocolOf(neighbor)}`);
  }

  received(neighbor: string): number {
    return [...this.shows(neighbor).matchAll(/Import updates:\s+(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
  }

  withdraw(prefix: string): void {
    this.#daemon.control(`disable s${this.#router.announce!.findIndex((route) => route.prefix === prefix)}`);
  }

  shutdown(neighbor: string, text: string): void {
    this.#daemon.control(`disable ${this.#protocolOf(neighbor)} "${text}"`);
  }

  acceptAll(neighbor: string): void {
    const sessions = this.#router.sessions.map(({ refuse, ...session }) =>
      session.neighbor === neighbor || refuse === undefined ? session : { ...session, refuse },
    );
    this.#router = { ...this.#router, sessions };
    writeFileSync(join(this.#place.lab.directory, this.#place.host, 'bird.conf'), birdConfig(this.#router));
    this.#daemon.control('configure');
  }

  bfd(neighbor: string): string {
    const row = new RegExp(`^${neighbor}\\s+\\S+\\s+(\\S+)`, 'm');
    return row.exec(this.#daemon.control('show bfd sessions'))?.[1] ?? 'none';
  }

  kill(): Promise<void> {
    return this.#daemon.kill();
  }

  async restart(router: Router): Promise<void> {
    const { lab, host } = this.#place;
    this.#router = router;
    this.#daemon = await lab.startDaemon(host, recovering, birdConfig(router));
  }

  #protocolOf(neighbor: string): string {
    return `n${this.#router.sessions.findIndex((session) => session.neighbor === neighbor)}`;
  }
}

function birdConfig({ id, asn, kernel, announce = [], sessions }: Router): string {
  return `
log stderr all;
router id ${id};
graceful restart wait 5;
protocol device {}
${kernel === true ? `${kernelSync('ipv4')}\n${kernelSync('ipv6')}` : ''}
${announce.map(announced).join('\n')}
${sessions.map((session, i) => bgp(asn, session, i)).join('\n')}
${sessions.some(({ bfd }) => bfd) ? 'protocol bfd { interface "eth*" { interval 200 ms; multiplier 3; }; }' : ''}
`;
}

const kernelSync = (family: Family): string =>
  `protocol kernel { ${family} { export where source = RTS_BGP; }; persist; graceful restart on; }`;

function announced(route: Announced, i: number): string {
  const { prefix, asPath = [], communities = [], largeCommunities = [], routeTargets = [] } = route;
  const numbers = (text: string): string => text.replaceAll(':', ',');
  const attributes = [
    ...asPath.toReversed().map((as) => `bgp_path.prepend(${as});`),
    ...communities.map((text) => `bgp_community.add((${numbers(text)}));`),
    ...largeCommunities.map((text) => `bgp_large_community.add((${numbers(text)}));`),
    ...routeTargets.map((text) => `bgp_ext_community.add((rt,${numbers(text)}));`),
  ];
  const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
  return `protocol static s${i} { ${family}; route ${prefix} blackhole { ${attributes.join(' ')} }; }`;
}

function bgp(asn: number, session: RouterSession, i: number): string {
  const { local, neighbor, families, password, hops, refuse = [], limit } = session;
  const accept = refuse.length === 0 ? 'import all' : `import where net !~ [ ${refuse.join(', ')} ]`;
  const options = [
    accept,
    'export where source = RTS_STATIC',
    ...(session.addPath === true ? ['add paths on'] : []),
    ...(limit === undefined ? [] : [`receive limit ${limit} action disable`]),
  ];
  const lines = [
    `local ${local} as ${asn}`,
    `neighbor ${neighbor} as ${session.asn}`,
    ...(session.interface === undefined ? [] : [`interface "${session.interface}"`]),
    ...(password === undefined ? [] : [`password "${password}"`]),
    ...(hops === undefined ? [] : ['ttl security on', ...(hops > 1 ? [`multihop ${hops}`] : [])]),
    ...(session.gracefulRestart === true ? ['graceful restart on', 'graceful restart time 60'] : []),
    ...(session.bfd === true ? ['bfd on'] : []),
    'enable extended messages on',
    ...['connect delay time 1', 'connect retry time 1', 'error wait time 1, 2'],
    ...families.map((family) => `${family} { ${options.map((option) => `${option}; `).join('')}}`),
  ];
  return `protocol bgp n${i} {\n${lines.map((line) => `  ${line};\n`).join('')}}`;
}

function pathOf(text: string): ForeignPath {
  const value = (name: string): string | undefined => new RegExp(`BGP\\.${name}: (.*)`).exec(text)?.[1]?.trim();
  const sets = (name: string): readonly string[] =>
    [...(value(name) ?? '').matchAll(/\(([^)]*)\)/g)].map(([, inside]) => inside!.replaceAll(/, ?/g, ':'));
  const [originatorId, clusterList] = [value('originator_id'), value('cluster_list')];
  return {
    asPath: value('as_path') ?? '',
    nextHop: value('next_hop') ?? '',
    communities: sets('community'),
    largeCommunities: sets('large_community'),
    extendedCommunities: sets('ext_community').map((community) => community.replace(':', ' ')),
    ...(originatorId !== undefined && { originatorId }),
    ...(clusterList !== undefined && { clusterList }),
  };
}
