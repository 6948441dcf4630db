import type { AgentSettings, RuntimeSettings } from '../config/settings.ts';
import type { SettingReport } from '../api/contract.ts';
import { changeKey } from '../datastore/ledger.ts';
import type { Change, Entry } from '../datastore/store.ts';
import type { SyncView } from '../datastore/syncer.ts';
import { emptyResources, ResourceReader } from '../resources/index.ts';
import type { Logger } from '../runtime/logger.ts';
import { blocksUse, localBlocks } from './cluster-view.ts';
import type { Knowledge } from './cluster-view.ts';
import { isLocked } from './datastore-lock.ts';
import { FelixSettings } from './felix-settings.ts';
import { isStatusKey } from './status-answers.ts';
import { isIpamRecord } from './urgency.ts';

/** Records that say who uses addresses. */
const OWNERS = /\/(nodes|workloadendpoints)\//;

export interface FollowedClusterPorts {
  readonly node: string;
  readonly told: AgentSettings['told'];
  readonly log: Logger;
  /** An operator's mistake, told again and again; the port sees to it that it is heard once. */
  readonly onMistake: (message: string, fields: object) => void;
  /** What the environment and the FelixConfigurations come to, at each look. */
  readonly onSettings: (settings: RuntimeSettings) => void;
}

/** What an agent makes of the datastore: knowledge to compute from, settings, and whether it is locked for a migration. */
export class FollowedCluster {
  readonly #ports: FollowedClusterPorts;
  readonly #reader = new ResourceReader();
  readonly #settings: FelixSettings;
  #knowledge: Knowledge;
  #isLocked = false;
  #isWhole = false;
  /** The view is another than at the last look. */
  #isViewNew = true;
  /** Something in it that is no record of IPAM's. */
  #areResourcesNew = true;

  constructor(ports: FollowedClusterPorts) {
    const { node, told } = ports;
    this.#ports = ports;
    this.#settings = new FelixSettings(node, told);
    this.#knowledge = { node, resources: emptyResources(), blocks: [] };
  }

  knowledge(): Knowledge {
    return this.#knowledge;
  }

  /** Nothing may be written, and what is read meanwhile counts for nothing. */
  isLocked(): boolean {
    return this.#isLocked;
  }

  /** Every endpoint and every node could be read at the last look: what no one of them has is nobody's. */
  isWhole(): boolean {
    return this.#isWhole;
  }

  /** Before there is a view. */
  lock(locked: boolean): void {
    this.#isLocked = locked;
  }

  settings(): readonly SettingReport[] {
    return this.#settings.report();
  }

  settingProblems(): readonly string[] {
    return this.#settings.problems();
  }

  /** There is a view, or another one, by these changes. */
  changed(changes: readonly Change[] | 'all'): void {
    this.#isViewNew = true;
    if (changes === 'all' || changes.some((change) => !isIpamRecord(changeKey(change)))) this.#areResourcesNew = true;
  }

  /**
   * What is known from here on; while the datastore is locked it stays what it was before. False where the view is the one that was looked
   * at last.
   */
  lookIfNew(view: SyncView): boolean {
    if (!this.#isViewNew) return false;
    if (this.#areResourcesNew) this.#look(view);
    else this.#lookAtBlocks(view);
    this.#isViewNew = false;
    this.#areResourcesNew = false;
    return true;
  }

  #look({ entries }: SyncView): void {
    const { node, log, onMistake, onSettings } = this.#ports;
    const wasLocked = this.#isLocked;
    this.#isLocked = isLocked(entries, wasLocked);
    if (wasLocked && !this.#isLocked) log.info({}, 'the datastore is not locked any more');
    if (this.#isLocked) {
      if (!wasLocked) log.warn({}, 'the datastore is locked for a migration: what it said before is kept');
      return;
    }
    const view = this.#reader.view(withoutStatuses(entries.values()));
    const { settings, changes, problems } = this.#settings.update(view);
    for (const problem of problems) onMistake('a FelixConfiguration is not wholly in force', { problem });
    if (changes.length > 0) log.info({ changes }, 'settings changed, and are in force from here on');
    onSettings(settings);
    this.#isWhole = !view.unreadable.some(({ key }) => OWNERS.test(key));
    this.#knowledge = { node, resources: view.resources, ...knownBlocks(entries, node) };
    for (const { key, reason } of view.unreadable) {
      onMistake('a stored entry cannot be used and is left out', { key, reason });
    }
  }

  /** The same where nothing is other than at the last look but IPAM's records. */
  #lookAtBlocks({ entries }: SyncView): void {
    if (this.#isLocked) return;
    this.#knowledge = { ...this.#knowledge, ...knownBlocks(entries, this.#ports.node) };
  }
}

function knownBlocks(entries: SyncView['entries'], node: string): Pick<Knowledge, 'blocks' | 'lent' | 'unused'> {
  const blocks = localBlocks(entries.values(), node);
  return { blocks, ...blocksUse(entries, { node, blocks }) };
}

/** Nothing is computed from them, and where each node has one they change all the time. */
function* withoutStatuses(entries: Iterable<Entry>): Iterable<Entry> {
  for (const entry of entries) if (!isStatusKey(entry.key)) yield entry;
}
