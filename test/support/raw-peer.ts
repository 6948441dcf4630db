/** A BGP speaker that says only what the test has it say, and writes down what it hears. */
import {
  decodeMessage,
  encodeMessage,
  encodeUpdateFrame,
  EXTENDED_MAX_OCTETS,
  Framer,
  plainContext,
} from '../../bird/wire.ts';
import type { Capability, Family, Message, Notification } from '../../bird/wire.ts';
import type { Connection, Transport } from '../../bird/peer/transport.ts';
import { parseIpAddress } from '../../src/model/ip.ts';
import { bytes, mandatory } from './bgp-bytes.ts';

export interface RawPeerText {
  readonly asn: number;
  readonly bgpIdentifier: number;
  readonly capabilities: readonly Capability[];
}

export class RawPeer {
  readonly heard: Message[] = [];
  isClosed = false;
  readonly #connection: Connection;
  readonly #framer = new Framer(EXTENDED_MAX_OCTETS);

  /** Dials `address` at once, and answers each OPEN with its own and a KEEPALIVE. */
  constructor(transport: Transport, address: string, { asn, bgpIdentifier, ...text }: RawPeerText) {
    const capabilities: readonly Capability[] = [...text.capabilities, { name: 'four-octet-as', asn }];
    this.#connection = transport.connect({ address: parseIpAddress(address), port: 179 });
    this.#connection.attach({
      opened: () => {
        this.say({ type: 'open', version: 4, asn, holdSeconds: 0, bgpIdentifier, capabilities });
        this.say({ type: 'keepalive' });
      },
      data: (octets) => {
        this.#framer.push(octets);
        for (let frame = this.#framer.next(); frame !== undefined; frame = this.#framer.next()) {
          const result = decodeMessage(frame, plainContext);
          if (result.kind === 'ok') this.heard.push(result.message);
        }
      },
      progress: () => undefined,
      closed: () => (this.isClosed = true),
    });
  }

  say(message: Exclude<Message, { readonly type: 'update' }>): void {
    this.#connection.write(encodeMessage(message, plainContext));
  }

  /** `10.0.0.0/24` to `10.0.N.0/24`, from `first` on. */
  announce(count: number, first = 0): void {
    for (let i = first; i < first + count; i++) {
      const nlri = Uint8Array.of(24, 10, i >>> 8, i & 255);
      this.#connection.write(encodeUpdateFrame({ attributes: bytes(mandatory), nlri }));
    }
  }

  withdraw(count: number, first = 0): void {
    for (let i = first; i < first + count; i++) {
      this.#connection.write(encodeUpdateFrame({ withdrawn: Uint8Array.of(24, 10, i >>> 8, i & 255) }));
    }
  }

  endOfRib(family: Family): void {
    const update = { attributes: {}, announced: [], withdrawn: [], faults: [] };
    this.#connection.write(encodeMessage({ type: 'update', ...update, endOfRib: family }, plainContext));
  }

  hangUp(): void {
    this.#connection.destroy();
  }

  get notification(): Notification | undefined {
    return this.heard.find((message) => message.type === 'notification');
  }
}
