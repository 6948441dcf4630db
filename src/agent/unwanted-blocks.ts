import type { Ipam, RuledPool } from '../ipam/index.ts';
import type { Prefix } from '../model/ip.ts';
import { formatPrefix, prefixContains, prefixContainsAddress } from '../model/ip.ts';
import { matchesSelector, parseSelector } from '../model/selector.ts';
import type { Labels } from '../model/selector.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Knowledge } from './cluster-view.ts';
import { localEndpoints } from './cluster-view.ts';
import { ruledPool } from './pool-choice.ts';

/** An address may rest, or the datastore be away: so long until the next try. */
const RETRY_MS = 60_000;

/** Why the node has no use for a block without assigned addresses; undefined where it has. */
type WhyUnwanted = (block: Prefix) => string | undefined;

/**
 * A block is wanted where an enabled pool that selects the node holds it, or a pod of this node has an address of it that IPAM does not
 * know of. Pools and pods are read once, however many blocks are asked about.
 */
function unwantedBy({ node, resources }: Knowledge): WhyUnwanted {
  const endpoints = localEndpoints(resources, node).flatMap(({ addresses }) => addresses);
  const labels = resources.Node.get(node)?.metadata.labels ?? {};
  const pools = [...resources.IPPool.values()].map(ruledPool).map((pool) => ({
    cidr: pool.cidr,
    reason: whyNotOf(pool, node, labels),
  }));
  return (block) => {
    if (endpoints.some((address) => prefixContainsAddress(block, address))) return undefined;
    const reasons = pools.filter(({ cidr }) => prefixContains(cidr, block)).map(({ reason }) => reason);
    if (reasons.includes(undefined)) return undefined;
    return reasons.join('; ') || 'it lies in no pool';
  };
}

function whyNotOf({ name, disabled, nodeSelector }: RuledPool, node: string, labels: Labels): string | undefined {
  if (disabled) return `pool ${name} is disabled`;
  if (matchesSelector(parseSelector(nodeSelector, `nodeSelector of ${name}`), labels)) return undefined;
  return `the nodeSelector ${nodeSelector} of pool ${name} does not select ${node}`;
}

export interface UnwantedBlocksPorts {
  readonly ipam: Pick<Ipam, 'giveUpBlocks'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** It is time to look again. */
  readonly again: () => void;
}

/** Gives up this node's blocks without addresses that no pool holds for it any more, so that others have them and no route leads here. */
export class UnwantedBlocks {
  readonly #ports: UnwantedBlocksPorts;
  #isResting = false;
  #stop: () => void = () => undefined;

  constructor(ports: UnwantedBlocksPorts) {
    this.#ports = ports;
  }

  /** One attempt at a time, and a pause after it; what IPAM says then counts, whatever was known here. */
  settle(knowledge: Knowledge): void {
    const { ipam, clock, log, again } = this.#ports;
    const { node, unused = [] } = knowledge;
    if (this.#isResting || unused.length === 0) return;
    const whyUnwanted = unwantedBy(knowledge);
    const isWanted = (block: Prefix): boolean => whyUnwanted(block) === undefined;
    if (unused.every(isWanted)) return;
    this.#isResting = true;
    this.#stop = clock.after(RETRY_MS, () => {
      this.#isResting = false;
      again();
    });
    ipam
      .giveUpBlocks({ node, isWanted })
      .then((gone) => {
        for (const block of gone) {
          log.info({ block: formatPrefix(block), reason: whyUnwanted(block) }, 'a block without addresses is given up');
        }
      })
      .catch((error: unknown) => {
        log.warn({ error: (error as Error).message }, 'no block could be given up; will try again');
      });
  }

  close(): void {
    this.#stop();
  }
}
