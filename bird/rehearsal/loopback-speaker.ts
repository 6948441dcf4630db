import type { IpAddress, IpFamily } from '../../src/model/ip.ts';
import type { Bfd } from '../bfd/index.ts';
import { localSettings } from '../local-settings.ts';
import { encodeNotification, PLAIN, shutdownFault } from '../peer/fault.ts';
import { familyOf, localOpen } from '../peer/negotiate.ts';
import type { SessionPorts } from '../peer/session.ts';
import type { Connection, ListenAt, Listener, Transport } from '../peer/transport.ts';
import type { SpeakerSettings } from '../settings.ts';
import { BgpSpeaker } from '../speaker.ts';
import { encodeEndOfRib, encodeMessage, Framer, MAX_OCTETS, messageType, UPDATE_TYPE } from '../wire.ts';
import { OUR_ASN, inTheFormOf, peerInPlay } from './peer-in-play.ts';

export const THEIR_ASN = 65_001;
/** As large as many are: a number beyond 2^31 has another form than a small one. */
const IDENTIFIER = 0xc000_0201;

const loopback = (host: number): IpAddress => ({ family: 4, words: [0x7f00_0000 + host] });
const OURS = loopback(1);
/** Of caller 0, 1, ... */
const placeOf = (caller: number): IpAddress => loopback(2 + caller);

const NO_BFD: Bfd = {
  setSessions: () => undefined,
  onChange: () => () => undefined,
  sessions: () => [],
  strangers: () => ({}),
  close: () => Promise.resolve(),
};

/** What is to be played, and with what. */
export interface PlayPorts extends SessionPorts {
  readonly families: readonly IpFamily[];
  /** The real speaker's, for their form alone: see `inTheFormOf`. */
  readonly settings: SpeakerSettings;
  /** A real peer's, for their form alone. */
  readonly peer: object | undefined;
}

export interface Caller {
  readonly connection: Connection;
  /** Messages of type UPDATE that it was told, End-of-RIB among them. */
  heard: number;
}

interface CallHandlers {
  /** It was told something. */
  heard(caller: Caller): void;
  /** Nobody of the play hung up, so the play is over. */
  lost(): void;
}

/** A whole speaker on a port of the kernel's choice, which nobody else knows, and who calls it. */
export class LoopbackSpeaker {
  readonly #ports: PlayPorts;
  readonly #speaker: BgpSpeaker;
  readonly #calls = new Set<Connection>();
  #port = 0;
  #isClosed = false;

  constructor(ports: PlayPorts) {
    this.#ports = ports;
    const { clock, random, log } = ports;
    this.#speaker = new BgpSpeaker(
      {
        ...ports.settings,
        ...{ asn: OUR_ASN, bgpIdentifier: IDENTIFIER, transit: true, listen: [{ address: '127.0.0.1', port: 0 }] },
        gracefulRestart: { restarting: false, deferralSeconds: 0 },
      },
      {
        ...{ clock, random, log, transport: this.#overheard(), bfd: NO_BFD },
        ...{ tcpEvidence: () => undefined, peerUp: () => undefined },
      },
    );
  }

  /**
   * Rejects where the loopback cannot be had. It has one address of IPv6 alone, and a peer is known by its address: so IPv4 carries
   * both families, and for IPv6 has no next hop of its own.
   */
  async start(callers: number): Promise<void> {
    const { families, peer } = this.#ports;
    const nextHop = families.includes(4) ? 'auto' : 'keep';
    const peers = Array.from({ length: callers }, (_, i) =>
      peerInPlay({ address: placeOf(i), remoteAsn: THEIR_ASN + i, families, nextHop }),
    );
    this.#speaker.setPeers(peers.map((each) => inTheFormOf(peer, each)));
    this.#speaker.setOriginated([]);
    await this.#speaker.start();
  }

  /** Says OPEN, KEEPALIVE and End-of-RIB when the connection stands. Throws when all is over. */
  call(caller: number, handlers: CallHandlers): Caller {
    if (this.#isClosed) throw new Error('the rehearsal is over');
    const { transport, families } = this.#ports;
    const connection = transport.connect({ address: OURS, port: this.#port, localAddress: placeOf(caller) });
    this.#calls.add(connection);
    const framer = new Framer(MAX_OCTETS);
    const call: Caller = { connection, heard: 0 };
    connection.attach({
      opened: () => connection.write(helloOf(caller, families)),
      data: (octets) => {
        framer.push(octets);
        for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
          if (messageType(frame) === UPDATE_TYPE) call.heard++;
        }
        handlers.heard(call);
      },
      progress: () => undefined,
      closed: () => handlers.lost(),
    });
    return call;
  }

  hangUp({ connection }: Caller): void {
    this.#calls.delete(connection);
    connection.destroy();
  }

  /** As a peer that is shut down. */
  sayGoodbye({ connection }: Caller): void {
    this.#calls.delete(connection);
    connection.write(encodeNotification(shutdownFault('')));
    void connection.end();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#calls) connection.destroy();
    this.#calls.clear();
    await this.#speaker.close({ kind: 'restart' });
  }

  #overheard(): Transport {
    const { transport } = this.#ports;
    return {
      connect: (target) => transport.connect(target),
      listen: async (at: ListenAt, accept: (connection: Connection) => void): Promise<Listener> => {
        const listener = await transport.listen(at, accept);
        this.#port = listener.port;
        return listener;
      },
    };
  }
}

/** Some put all capabilities into one parameter, others each into one of its own; and nobody keeps our routes. */
function helloOf(caller: number, families: readonly IpFamily[]): Uint8Array {
  const [address, localAsn] = [OURS, THEIR_ASN + caller];
  const settings = peerInPlay({ address, remoteAsn: OUR_ASN, localAsn, families, gracefulRestartSeconds: 0 });
  const local = localSettings(settings, { bgpIdentifier: IDENTIFIER + 1 + caller, restarting: false, starting: false });
  const open = localOpen(local);
  const isTogether = caller % 2 === 0;
  return Buffer.concat([
    encodeMessage(isTogether ? { ...open, parameters: [open.capabilities.length] } : open, PLAIN),
    encodeMessage({ type: 'keepalive' }, PLAIN),
    ...families.map((family) => encodeEndOfRib(familyOf(family))),
  ]);
}
