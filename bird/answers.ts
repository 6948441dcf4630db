import type { IpAddress, Prefix } from '../src/model/ip.ts';
import { comparePrefixes, prefixContainsAddress, prefixOf, sameAddress } from '../src/model/ip.ts';
import type { Clock } from '../src/runtime/clock.ts';
import type { BfdWatch } from './bfd-watch.ts';
import type { PeerExplanation } from './explain/finding.ts';
import { explainPeer } from './explain/peer.ts';
import { advertisements, explainRoute } from './explain/route.ts';
import type { Neighbor } from './neighbor.ts';
import { FAMILIES } from './routing.ts';
import type { PasswordRefusal } from './peer/transport.ts';
import type { Routing } from './routing.ts';
import { routeViews } from './snapshot.ts';
import type { AdvertisementView, PeerView, RouteExplanation, RouteQuestion, RouteView, TableCounts } from './view.ts';

export interface AnswersHost {
  readonly clock: Clock;
  readonly routing: Routing;
  readonly bfd: BfdWatch;
  neighbors(): readonly Neighbor[];
  refusedPasswords(): readonly PasswordRefusal[];
}

/** What people ask of a running speaker. Changes nothing. */
export class Answers {
  readonly #host: AnswersHost;

  constructor(host: AnswersHost) {
    this.#host = host;
  }

  peers(): readonly PeerView[] {
    return this.#host.neighbors().map((neighbor) => this.#view(neighbor));
  }

  tables(): readonly TableCounts[] {
    return FAMILIES.map((family) => {
      const { prefixes, locRib } = this.#host.routing.tables[family];
      return { family, prefixes: prefixes.size, best: locRib.size };
    });
  }

  routes(question: RouteQuestion): readonly RouteView[] {
    const peers = this.#host.neighbors().map(({ routes }) => routes);
    return routeViews(this.#host.routing, peers, question);
  }

  /** What peers hear, or one of them: what was sent and what waits, by prefix. */
  advertised(peer: IpAddress | undefined): readonly AdvertisementView[] {
    const asked = this.#host
      .neighbors()
      .filter(({ settings }) => peer === undefined || sameAddress(settings.address, peer))
      .map(({ routes }) => routes);
    return asked
      .flatMap((each) => advertisements(this.#host.routing, each))
      .sort((a, b) => comparePrefixes(a.prefix, b.prefix));
  }

  explainPeer(address: IpAddress, link: string | undefined): PeerExplanation | undefined {
    const neighbor = this.find(address, link);
    if (neighbor === undefined) return undefined;
    const { clock } = this.#host;
    const isDown = ({ settings, state }: Neighbor): boolean =>
      state !== 'Established' && settings.shutdown === undefined;
    const refusal = this.#host.refusedPasswords().find(({ prefix }) => prefixContainsAddress(prefix, address));
    return explainPeer({
      view: this.#view(neighbor),
      now: clock.wallTime(),
      drops: neighbor.kernelDrops(),
      othersDown: this.#host.neighbors().filter((other) => other !== neighbor && isDown(other)).length,
      ...(refusal !== undefined && { refusedPassword: refusal.text }),
    });
  }

  explainRoute({ address, length }: Prefix): RouteExplanation {
    return explainRoute(this.#host.routing, prefixOf(address, length));
  }

  /** `link` may be left out where the address is that of one peer alone. */
  find(address: IpAddress, link: string | undefined): Neighbor | undefined {
    return this.#host
      .neighbors()
      .find(
        ({ settings }) => sameAddress(settings.address, address) && (link === undefined || settings.interface === link),
      );
  }

  #view(neighbor: Neighbor): PeerView {
    const bfd = this.#host.bfd.view(neighbor);
    return { ...neighbor.view(), ...(bfd !== undefined && { bfd }) };
  }
}
