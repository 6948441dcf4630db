import type { PeerView, Speaker } from '../../bird/index.ts';
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
import type { IpAddress, Prefix } from '../model/ip.ts';
import { formatPrefix, parseInterfaceAddress, parseIpAddress, prefixOf, sameAddress } from '../model/ip.ts';
import {
  advertisementReport,
  explainedPathReport,
  pathReport,
  peerAddress,
  peerReport,
  familyText,
} from './bgp-status.ts';

/** Enough to see the one that was meant. */
const SHOWN_PEERS = 10;

/** What only the one who runs the speaker knows. */
export interface BgpBackground {
  speaker(): Speaker | undefined;
  /** Why an address is no peer, one sentence each. */
  whyNoPeer(address: IpAddress): readonly string[];
  /** Why this node tells a prefix, or the longest around it, itself, or why it does not. */
  ownRoute(asked: Prefix): string | undefined;
  /** What is programmed for a prefix, or the longest around it. */
  kernelRoute(asked: Prefix): RouteReport | undefined;
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
    return peerReport(this.#peer(text));
  }

  explainPeer(text: string): PeerExplainReport {
    const view = this.#find(text);
    const found = view && this.#background.speaker()?.explainPeer(view.settings.address, view.settings.interface);
    if (found === undefined || view === undefined) return this.#notConfigured(text);
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
    const question = { which, ...(peer !== undefined && { peer: this.#peer(peer).settings.address }) };
    return (this.#background.speaker()?.routes(question) ?? []).map(pathReport);
  }

  advertised(peer: string | undefined): readonly AdvertisementReport[] {
    const asked = peer === undefined ? undefined : this.#peer(peer).settings.address;
    return (this.#background.speaker()?.advertised(asked) ?? []).map(advertisementReport);
  }

  explainRoute(text: string): RouteExplainReport {
    const { address, length } = parseInterfaceAddress(text, 'prefix');
    const asked = prefixOf(address, length);
    const found = this.#background.speaker()?.explainRoute(asked);
    const prefix = formatPrefix(found?.prefix ?? asked);
    const own = this.#background.ownRoute(asked);
    const kernel = this.#background.kernelRoute(asked);
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
    const { address, interface: link } = this.#peer(text).settings;
    this.#background.speaker()?.resetPeer(address, message, link);
  }

  refreshPeer(text: string): readonly string[] {
    const { address, interface: link } = this.#peer(text).settings;
    const families = this.#background.speaker()?.refreshPeer(address, link) ?? [];
    return families.map(familyText);
  }

  /** Throws InvalidValueError where it is no peer. */
  #peer(text: string): PeerView {
    const found = this.#find(text);
    if (found !== undefined) return found;
    const why = this.#background.whyNoPeer(parsePeer(text).address);
    throw new InvalidValueError('peer', text, `is no peer here: ${why.join('; ')}`);
  }

  /** The link may be left out where the address is that of one peer alone; else throws InvalidValueError. */
  #find(text: string): PeerView | undefined {
    const { address, link } = parsePeer(text);
    const named = (this.#background.speaker()?.peers() ?? []).filter(
      ({ settings }) => sameAddress(settings.address, address) && (link === undefined || settings.interface === link),
    );
    if (named.length < 2 || named[0]?.settings.interface === undefined) return named[0];
    const names = named.map(({ settings }) => peerAddress(settings)).join(' and ');
    throw new InvalidValueError('peer', text, `is a peer on more than one link: ${names}`);
  }

  /** The first reason is the verdict. */
  #notConfigured(text: string): PeerExplainReport {
    const { address } = parsePeer(text);
    const [why = 'nobody asks for it', ...more] = this.#background.whyNoPeer(address);
    return {
      address: text,
      isConfigured: false,
      cause: 'not configured here',
      verdict: why,
      evidence: [...more, this.#knocks(address), this.#others()],
      next: [
        'the resource or the file that should make it a peer, and for which nodes it is',
        `the address: is it ${text} that was meant?`,
      ],
    };
  }

  #others(): string {
    const peers = this.#background.speaker()?.peers() ?? [];
    const shown = peers.slice(0, SHOWN_PEERS).map(({ settings }) => peerAddress(settings));
    if (peers.length === 0) return 'this node has no peers at all';
    return `peers here: ${shown.join(', ')}${peers.length > shown.length ? `, and ${peers.length - shown.length} more` : ''}`;
  }

  #knocks(address: IpAddress): string {
    const callers = this.#background.speaker()?.refusedCallers() ?? [];
    const caller = callers.find((each) => sameAddress(each.address, address));
    if (caller === undefined) return 'it has not tried to connect to us';
    const { count, lastAt, why } = caller;
    const often = count === 1 ? 'once' : `${count} times`;
    return `it tried to connect to us ${often}, last at ${new Date(lastAt).toISOString()}, and was refused: ${why}`;
  }
}

/** `10.0.0.2`, `fe80::1%eth0`. Throws InvalidValueError. */
function parsePeer(text: string): { readonly address: IpAddress; readonly link: string | undefined } {
  const [address = '', link] = text.split('%');
  return { address: parseIpAddress(address, 'peer'), link };
}
