/** Import without decoding: what the octets of an attribute set say for sure. Pure. */
import {
  AS_PATH,
  AS_SEQUENCE,
  attributesStart,
  CLUSTER_LIST,
  COMMUNITIES,
  ORIGINATOR_ID,
  valueEnd,
  valueStart,
} from '../rib/kept-set.ts';
import type { KeptSet } from '../rib/kept-set.ts';
import type { ImportContext } from './import.ts';
import { wellKnown } from './well-known.ts';

/** Far below what `judgeAttributes` allows: longer ones are counted there. */
const MAX_ASNS = 255;

/** `judgeAttributes` and `rewriteOnImport` as questions to the octets that the cache keeps of a set (`canonicalAttributes`). */
export class PlainImport {
  readonly #context: ImportContext;
  readonly #isPossible: boolean;
  /** What is being judged. */
  #octets: Uint8Array = new Uint8Array();

  constructor(context: ImportContext) {
    this.#context = context;
    this.#isPossible = context.isWithoutPolicy !== true && context.role === undefined;
  }

  /** True: import accepts the set and changes nothing. False: it may still, `judgeAttributes` knows. */
  accepts(set: KeptSet): boolean {
    const { octets, start, end } = set;
    this.#octets = octets;
    if (!this.#isPossible || !this.#acceptsNextHop(start)) return false;
    for (let at = attributesStart(set); at < end;) {
      const next = valueEnd(octets, at);
      if (!this.#acceptsAttribute(octets[at + 1]!, valueStart(octets, at), next)) return false;
      at = next;
    }
    return true;
  }

  #acceptsAttribute(code: number, start: number, end: number): boolean {
    const { external, bgpIdentifier, clusterId } = this.#context;
    switch (code) {
      case AS_PATH:
        return this.#acceptsPath(start, end);
      case COMMUNITIES:
        return !external || !this.#hasWord(start, end, GRACEFUL_SHUTDOWN);
      case ORIGINATOR_ID:
        return external || !this.#hasWord(start, end, bgpIdentifier);
      case CLUSTER_LIST:
        return clusterId === undefined || !this.#hasWord(start, end, clusterId);
      default:
        return true;
    }
  }

  #acceptsPath(start: number, end: number): boolean {
    const { localAsn, firstAsn } = this.#context;
    const octets = this.#octets;
    if (firstAsn !== undefined) {
      const isFirst = start < end && octets[start] === AS_SEQUENCE && this.#hasWord(start + 2, start + 6, firstAsn);
      if (!isFirst) return false;
    }
    let count = 0;
    for (let at = start; at < end;) {
      const next = at + 2 + 4 * octets[at + 1]!;
      count += octets[at + 1]!;
      if (this.#hasWord(at + 2, next, localAsn)) return false;
      at = next;
    }
    return count <= MAX_ASNS;
  }

  /** An address that begins with 0 may be IPv4 in IPv6 clothes, or none at all. */
  #acceptsNextHop(start: number): boolean {
    const length = this.#octets[start]!;
    const at = start + 1;
    const first = this.#octets[at]!;
    if (length === 4) return first !== 0 && first !== 127 && first < 224 && !this.#isOurs(at, 4);
    if (first === 0 || first === 0xff) return false;
    if (length === 16) return !this.#isOurs(at, 16);
    return length === 32 && !this.#isOurs(at, 16) && !this.#isOurs(at + 16, 16);
  }

  #isOurs(at: number, length: number): boolean {
    const { localAddress } = this.#context;
    if (localAddress.length !== length) return false;
    for (let i = 0; i < length; i++) if (this.#octets[at + i] !== localAddress[i]) return false;
    return true;
  }

  #hasWord(start: number, end: number, word: number): boolean {
    const octets = this.#octets;
    for (let at = start; at < end; at += 4) {
      const own = (octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!;
      if (own === (word | 0)) return true;
    }
    return false;
  }
}

const GRACEFUL_SHUTDOWN = wellKnown.GRACEFUL_SHUTDOWN.value;
