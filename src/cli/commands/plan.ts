import { Command } from 'commander';
import { AFFINITIES_PREFIX, IPAM_CONFIG_KEY, IPAM_PREFIX, RESOURCES_PREFIX } from '../../datastore/keys.ts';
import type { Entry, Listing, Store } from '../../datastore/store.ts';
import { planChange, worldOf } from '../../plan/plan.ts';
import { ResourceReader } from '../../resources/index.ts';
import { DryRunStore } from '../dry-run/store.ts';
import type { DryChange } from '../dry-run/store.ts';
import type { CliIo } from '../io.ts';
import { UsageError } from '../io.ts';
import { formatJson, outputOption } from '../output-option.ts';
import { formatPlan } from '../plan-text.ts';
import { withResources } from '../session.ts';
import { addApplyCommand } from './apply.ts';
import { addDeleteCommand } from './delete.ts';

interface PlanOptions {
  readonly filename?: string;
  readonly recursive?: boolean;
  readonly skipEmpty?: boolean;
  readonly delete?: boolean;
  readonly namespace?: string;
  readonly eachNode?: boolean;
  readonly output: string;
}

export function addPlanCommand(program: Command, io: CliIo): void {
  program
    .command('plan')
    .description('shows what applying a file, or deleting, would change on which node: peers, routes, encapsulation')
    .argument('[kind]', 'with --delete')
    .argument('[names...]')
    .option('-f, --filename <path>', 'a file, a directory, or - for standard input')
    .option('-R, --recursive', 'directories with all that is in them')
    .option('--skip-empty', 'do not fail where there are no resources')
    .option('--delete', 'what deleting them would change')
    .option('-n, --namespace <namespace>', 'the namespace of the names')
    .option('--each-node', 'every node by itself, also those that change alike')
    .addOption(outputOption())
    .action(async (kind: string | undefined, names: readonly string[], options: PlanOptions) => {
      const args = commandLine(kind === undefined ? [] : [kind, ...names], options);
      await withResources(io, async (_, store) => {
        const listing = await planned(store, options.delete === true);
        const draft = new DryRunStore(unclosed(store));
        await runOn(draft, args, io);
        const reader = new ResourceReader();
        const report = planChange(
          worldOf(listing.entries, reader),
          worldOf(changed(listing.entries, draft.changes()), reader),
          options,
        );
        io.stdout(options.output === 'json' ? formatJson(report) : formatPlan(report));
      });
    });
}

/** What the real command would be told. */
function commandLine(
  names: readonly string[],
  { filename, recursive, skipEmpty, delete: isDeletion, namespace }: PlanOptions,
): readonly string[] {
  const file = filename === undefined ? [] : ['-f', filename, ...(recursive === true ? ['-R'] : [])];
  if (isDeletion === true) {
    return ['delete', ...names, ...file, ...(namespace === undefined ? [] : ['-n', namespace])];
  }
  if (filename === undefined) throw new UsageError('No resources specified: plan needs -f FILE, or --delete KIND NAME');
  if (names.length > 0) throw new UsageError(`'${names.join(' ')}': a kind and names are for --delete`);
  return ['apply', ...file, ...(skipEmpty === true ? ['--skip-empty'] : [])];
}

/**
 * Resources and whose blocks are: what a plan is made of. Blocks and handles are many, and nothing is computed from them; but what
 * goes with a Node or an IPPool that is deleted is seen by them.
 */
async function planned(store: Store, isDeletion: boolean): Promise<Listing> {
  const resources = await store.list(RESOURCES_PREFIX);
  const ipam = await store.list(isDeletion ? IPAM_PREFIX : AFFINITIES_PREFIX);
  const configuration = isDeletion ? undefined : await store.get(IPAM_CONFIG_KEY);
  const entries = [...resources.entries, ...ipam.entries, ...(configuration === undefined ? [] : [configuration])];
  return { entries, revision: Math.max(resources.revision, ipam.revision) };
}

/** The very command, on a draft: what it refuses the plan refuses, in the same words. */
async function runOn(draft: DryRunStore, args: readonly string[], io: CliIo): Promise<void> {
  const program = new Command().exitOverride();
  const draftIo: CliIo = { ...io, stdout: () => undefined, openStore: () => Promise.resolve(draft) };
  addApplyCommand(program, draftIo);
  addDeleteCommand(program, draftIo);
  await program.parseAsync(args, { from: 'user' });
}

/** As it is, but for close(): the commands close what they open, and the session here goes on. */
const unclosed = (store: Store): Store => ({
  get: (key) => store.get(key),
  list: (prefix) => store.list(prefix),
  create: (...write) => store.create(...write),
  update: (...write) => store.update(...write),
  delete: (...write) => store.delete(...write),
  writeAll: (writes) => store.writeAll(writes),
  watch: (...way) => store.watch(...way),
  close: () => Promise.resolve(),
});

function changed(entries: readonly Entry[], changes: readonly DryChange[]): readonly Entry[] {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  for (const { key, after } of changes) {
    if (after === undefined) byKey.delete(key);
    else byKey.set(key, after);
  }
  return [...byKey.values()];
}
