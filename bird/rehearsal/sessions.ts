/** Sessions that nobody asked for, from the caller's first packet to our End-of-RIB, over the loopback. */
import type { IpAddress, IpFamily } from '../../src/model/ip.ts';
import type { Bfd } from '../bfd/index.ts';
import { localSettings } from '../local-settings.ts';
import { PLAIN } from '../peer/fault.ts';
import { familyOf, localOpen } from '../peer/negotiate.ts';
import type { SessionPorts } from '../peer/session.ts';
import type { Connection, ListenAt, Listener, Transport } from '../peer/transport.ts';
import { BgpSpeaker } from '../speaker.ts';
import { encodeEndOfRib, encodeMessage, Framer, MAX_OCTETS, messageType, UPDATE_TYPE } from '../wire.ts';
import { OUR_ASN, peerInPlay } from './peer-in-play.ts';

/** Three times as many as `compileSooner` asks for. */
export const SESSIONS = 100;
const CALLERS = 8;
const THEIR_ASN = 65_001;
/** Long enough for a busy machine. Where the loopback is down or a firewall is shut, nobody gets anywhere. */
const PATIENCE_MS = 3000;

const loopback = (host: number): IpAddress => ({ family: 4, words: [0x7f00_0000 + host] });
const OURS = loopback(1);

const NO_BFD: Bfd = {
  setSessions: () => undefined,
  onChange: () => () => undefined,
  sessions: () => [],
  strangers: () => ({}),
  close: () => Promise.resolve(),
};

/** Begins at once and calls `over`, however it went; answers how to end it before its time. */
export function playSessions(ports: SessionPorts, families: readonly IpFamily[], over: () => void): () => void {
  const play = new SessionPlay(ports, families, over);
  void play.begin();
  return () => void play.close().catch(() => undefined);
}

/** A whole speaker on a port of the kernel's choice, and callers who hear its End-of-RIB, hang up, and call again. */
class SessionPlay {
  readonly #ports: SessionPorts;
  readonly #families: readonly IpFamily[];
  readonly #over: () => void;
  readonly #speaker: BgpSpeaker;
  readonly #hello: Uint8Array;
  /** By place; a call that is over is nobody's. */
  readonly #calls = new Map<IpAddress, Connection>();
  readonly #cancelPatience: () => void;
  #port = 0;
  #left = SESSIONS;
  #isOver = false;

  constructor(ports: SessionPorts, families: readonly IpFamily[], over: () => void) {
    this.#ports = ports;
    this.#families = families;
    this.#over = over;
    this.#hello = helloIn(families);
    this.#speaker = new BgpSpeaker(
      {
        ...{ asn: OUR_ASN, bgpIdentifier: 1, transit: true, listen: [{ address: '127.0.0.1', port: 0 }] },
        gracefulRestart: { restarting: false, deferralSeconds: 0 },
      },
      { ...ports, transport: this.#overheard(ports.transport), bfd: NO_BFD, tcpEvidence: () => undefined },
    );
    this.#cancelPatience = ports.clock.after(PATIENCE_MS, () => this.#finish());
  }

  async begin(): Promise<void> {
    const places = Array.from({ length: CALLERS }, (_, i) => loopback(2 + i));
    const families = this.#families;
    try {
      this.#speaker.setPeers(places.map((address) => peerInPlay({ address, remoteAsn: THEIR_ASN, families })));
      this.#speaker.setOriginated([]);
      await this.#speaker.start();
      for (const place of places) this.#call(place);
    } catch {
      this.#finish();
    }
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#cancelPatience();
    for (const call of this.#calls.values()) call.destroy();
    await this.#speaker.close({ kind: 'restart' });
  }

  #finish(): void {
    if (this.#isOver) return;
    void this.close()
      .catch(() => undefined)
      .then(() => this.#over());
  }

  /** The port is nobody else's to know. */
  #overheard(transport: Transport): Transport {
    return {
      connect: (target) => transport.connect(target),
      listen: async (at: ListenAt, accept: (connection: Connection) => void): Promise<Listener> => {
        const listener = await transport.listen(at, accept);
        this.#port = listener.port;
        return listener;
      },
    };
  }

  #call(place: IpAddress): void {
    if (this.#isOver) return;
    const call = this.#ports.transport.connect({ address: OURS, port: this.#port, localAddress: place });
    this.#calls.set(place, call);
    const framer = new Framer(MAX_OCTETS);
    let marks = 0;
    call.attach({
      opened: () => call.write(this.#hello),
      data: (octets) => {
        framer.push(octets);
        for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
          if (messageType(frame) === UPDATE_TYPE) marks++;
        }
        if (marks === this.#families.length) this.#hangUp(place, call);
      },
      progress: () => undefined,
      closed: () => this.#finish(),
    });
  }

  #hangUp(place: IpAddress, call: Connection): void {
    call.destroy();
    this.#left--;
    if (this.#left <= 0) this.#finish();
    else this.#ports.clock.after(0, () => this.#call(place));
  }
}

/** All that a caller says: OPEN, KEEPALIVE, End-of-RIB. */
function helloIn(families: readonly IpFamily[]): Uint8Array {
  const settings = peerInPlay({ address: OURS, remoteAsn: OUR_ASN, localAsn: THEIR_ASN, families });
  const local = localSettings(settings, { bgpIdentifier: 2, restarting: false, starting: false });
  return Buffer.concat([
    encodeMessage(localOpen(local), PLAIN),
    encodeMessage({ type: 'keepalive' }, PLAIN),
    ...families.map((family) => encodeEndOfRib(familyOf(family))),
  ]);
}
