import type { Speaker } from '../../bird/index.ts';
import type {
  AdvertisementReport,
  PeerExplainReport,
  PeerReport,
  RouteChoice,
  RouteExplainReport,
  TableReport,
} from '../api/bgp-contract.ts';
import type { BgpQuestions } from '../api/bgp-routes.ts';
import type { PathReport, RouteReport } from '../api/contract.ts';
import { InvalidValueError } from '../model/invalid.ts';
import type { IpAddress } from '../model/ip.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress, prefixOf, sameAddress } from '../model/ip.ts';
import {
  advertisementReport,
  explainedPathReport,
  pathReport,
  peerAddress,
  peerReport,
  familyText,
} from './bgp-status.ts';

/** What only the one who runs the speaker knows. */
export interface BgpBackground {
  speaker(): Speaker | undefined;
  /** Why an address is no peer, one sentence each. */
  whyNoPeer(address: IpAddress): readonly string[];
  /** Why this node tells a prefix itself, or why it does not. */
  ownRoute(prefix: string): string | undefined;
  /** What is programmed for a prefix. */
  kernelRoute(prefix: string): RouteReport | undefined;
}

/** The answers of the API about sessions and tables, the same for an agent and for a speaker alone. */
export class BgpAnswers implements BgpQuestions {
  readonly #background: BgpBackground;

  constructor(background: BgpBackground) {
    this.#background = background;
  }

  peers(): readonly PeerReport[] {
    return (this.#background.speaker()?.peers() ?? []).map(peerReport);
  }

  peer(text: string): PeerReport {
    const { address, link } = parsePeer(text);
    const view = this.#background
      .speaker()
      ?.peers()
      .find(
        ({ settings }) => sameAddress(settings.address, address) && (link === undefined || settings.interface === link),
      );
    if (view === undefined) throw this.#unknown(text, address);
    return peerReport(view);
  }

  explainPeer(text: string): PeerExplainReport {
    const { address, link } = parsePeer(text);
    const speaker = this.#background.speaker();
    const found = speaker?.explainPeer(address, link);
    const view = speaker
      ?.peers()
      .find(
        ({ settings }) => sameAddress(settings.address, address) && (link === undefined || settings.interface === link),
      );
    if (found === undefined || view === undefined) return this.#notConfigured(text, address);
    const { settings, state, since } = view;
    return {
      address: peerAddress(settings),
      isConfigured: true,
      type: settings.kind,
      origin: settings.origin,
      ...(settings.description !== undefined && { description: settings.description }),
      state,
      since: new Date(since).toISOString(),
      ...found,
    };
  }

  tables(): readonly TableReport[] {
    const tables = this.#background.speaker()?.tables() ?? [];
    return tables.map(({ family, ...counts }) => ({ family: familyText(family), ...counts }));
  }

  paths(which: RouteChoice, peer: string | undefined): readonly PathReport[] {
    const question = { which, ...(peer !== undefined && { peer: parsePeer(peer).address }) };
    return (this.#background.speaker()?.routes(question) ?? []).map(pathReport);
  }

  advertised(peer: string | undefined): readonly AdvertisementReport[] {
    const asked = peer === undefined ? undefined : parsePeer(peer).address;
    return (this.#background.speaker()?.advertised(asked) ?? []).map(advertisementReport);
  }

  explainRoute(text: string): RouteExplainReport {
    const { address, length } = parseInterfaceAddress(text, 'prefix');
    const asked = prefixOf(address, length);
    const found = this.#background.speaker()?.explainRoute(asked);
    const prefix = formatPrefix(found?.prefix ?? asked);
    const own = this.#background.ownRoute(prefix);
    const kernel = this.#background.kernelRoute(prefix);
    return {
      asked: text,
      prefix,
      verdict: found?.verdict ?? 'there is no speaker yet',
      ...(found?.originator !== undefined && { originator: found.originator }),
      ...(own !== undefined && { own }),
      paths: (found?.paths ?? []).map(explainedPathReport),
      advertised: (found?.advertised ?? []).map(advertisementReport),
      ...(kernel !== undefined && { kernel }),
    };
  }

  resetPeer(text: string, message: string): void {
    const { address, link } = parsePeer(text);
    if (this.#background.speaker()?.resetPeer(address, message, link) !== true) throw this.#unknown(text, address);
  }

  refreshPeer(text: string): readonly string[] {
    const { address, link } = parsePeer(text);
    const families = this.#background.speaker()?.refreshPeer(address, link);
    if (families === undefined) throw this.#unknown(text, address);
    return families.map(familyText);
  }

  #unknown(text: string, address: IpAddress): InvalidValueError {
    return new InvalidValueError('peer', text, `is no peer here: ${this.#background.whyNoPeer(address).join('; ')}`);
  }

  #notConfigured(text: string, address: IpAddress): PeerExplainReport {
    const caller = this.#background
      .speaker()
      ?.refusedCallers()
      .find((each) => sameAddress(each.address, address));
    const knocked =
      caller === undefined
        ? 'it has not tried to connect to us'
        : `it tried to connect to us ${caller.count} times and was refused: ${caller.why}`;
    return {
      address: text,
      isConfigured: false,
      cause: 'not configured here',
      verdict: `${text} is no peer of this node`,
      evidence: [...this.#background.whyNoPeer(address), knocked],
      next: ['the peer’s address and the resource or file that should name it'],
    };
  }
}

/** `10.0.0.2`, `fe80::1%eth0`. Throws InvalidValueError. */
function parsePeer(text: string): { readonly address: IpAddress; readonly link: string | undefined } {
  const [address = '', link] = text.split('%');
  return { address: parseIpAddress(address, 'peer'), link };
}
