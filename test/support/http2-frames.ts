/** The head of an HTTP/2 frame, RFC 9113 §4.1, and where it stands. */
export interface FrameHead {
  readonly type: number;
  readonly stream: number;
  readonly length: number;
  /** Which of its stream's DATA frames with contents it is, from 1; 0 for other frames. */
  readonly data: number;
  /** Where in the chunk it begins; 0 where it began in one before. */
  readonly at: number;
}

const HEAD_OCTETS = 9;
const DATA = 0;

/** Follows the frames of one direction of a connection, however TCP cuts them. The server's has no preface. */
export class Http2Frames {
  #partial: Buffer = Buffer.alloc(0);
  /** Of the frame's body, still to come. */
  #left = 0;
  readonly #data = new Map<number, number>();

  /** The heads that are complete with this chunk, in order. */
  heads(chunk: Buffer): readonly FrameHead[] {
    const found: FrameHead[] = [];
    for (let at = 0; at < chunk.length;) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      const begun = this.#partial.length;
      const head = Buffer.concat([this.#partial, chunk.subarray(at, at + HEAD_OCTETS - begun)]);
      if (head.length < HEAD_OCTETS) {
        this.#partial = head;
        break;
      }
      this.#partial = Buffer.alloc(0);
      found.push(this.#decode(head, Math.max(0, at - begun)));
      at += HEAD_OCTETS - begun;
    }
    return found;
  }

  #decode(head: Buffer, at: number): FrameHead {
    const length = head.readUIntBE(0, 3);
    const type = head.readUInt8(3);
    const stream = head.readUInt32BE(5) & 0x7fff_ffff;
    this.#left = length;
    if (type !== DATA || length === 0) return { type, stream, length, data: 0, at };
    const data = (this.#data.get(stream) ?? 0) + 1;
    this.#data.set(stream, data);
    return { type, stream, length, data, at };
  }
}
