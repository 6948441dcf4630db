import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { Store } from '../../datastore/store.ts';
import { audit, createIpam, otherHistory, repairPlan } from '../../ipam/index.ts';
import type { Ipam, RepairPlan } from '../../ipam/index.ts';
import { formatIpAddress, formatPrefix } from '../../model/ip.ts';
import { systemClock } from '../../runtime/clock.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { CliIo } from '../io.ts';
import { CommandError, UsageError } from '../io.ts';
import type { IpamReport } from '../ipam/report.ts';
import { clusterFacts, evidenceOf, historyOf, parseReport } from '../ipam/report.ts';
import type { IpamView } from '../ipam/view.ts';
import { ipamView } from '../ipam/view.ts';
import { withStore } from '../session.ts';
import { ipArgument } from './ipam-show.ts';

/** Calico's leakGracePeriod. */
const GRACE_SECONDS = 900;

interface ReleaseOptions {
  readonly ip?: string;
  readonly fromReport: readonly string[];
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly grace: number;
}

export function addIpamReleaseCommand(ipam: Command, io: CliIo): void {
  ipam
    .command('release')
    .description('frees one address, or what reports of `ipam check` and the datastore of now agree is leaked')
    .option('--ip <address>', 'this one, whoever has it; not taken from an endpoint that lives without --force')
    .option(
      '--from-report <file>',
      'may be repeated: only what all of them say',
      (one, all: string[]) => [...all, one],
      [],
    )
    .option(
      '--force',
      'an address in use, too; of reports: the age of the assignment serves where no report is old enough',
    )
    .option('--dry-run', 'says what would be done, and does nothing')
    .option('--grace <seconds>', 'how long an address must be known as leaked', seconds, GRACE_SECONDS)
    .action((options: ReleaseOptions) => {
      const { ip, fromReport } = options;
      if (ip !== undefined && fromReport.length > 0) throw new UsageError('--ip and --from-report exclude each other');
      if (ip === undefined && fromReport.length === 0)
        throw new UsageError('one of --ip and --from-report is required');
      return withStore(io, async (store) => {
        const client = createIpam(store, { clock: systemClock, random: systemRandom });
        if (ip !== undefined) await releaseOne({ io, store, ipam: client }, ip, options);
        else await releaseFromReports({ io, store, ipam: client }, options);
      });
    });
}

function seconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number of seconds.');
}

interface Parts {
  readonly io: CliIo;
  readonly store: Store;
  readonly ipam: Ipam;
}

async function releaseOne({ io, store, ipam }: Parts, text: string, options: ReleaseOptions): Promise<void> {
  const address = ipArgument(text);
  const ip = formatIpAddress(address);
  const holder = await ipam.holderOf(address);
  if (holder === undefined) throw new CommandError(`IP address ${ip} is not assigned`);
  const owners = (await ipamView(store)).users.inUse.get(ip);
  if (owners !== undefined && options.force !== true) {
    throw new CommandError(
      `--ip = '${ip}': is in use by ${owners.join(', ')}; another would get it too. --force frees it all the same`,
    );
  }
  if (options.dryRun === true) {
    io.stdout(`Would release IP address ${ip} of handle ${holder.attributes.handleId ?? '<none>'}\n`);
    return;
  }
  const { handleId } = holder.attributes;
  await ipam.releaseAddress({ address, handleId, sequenceNumber: holder.sequenceNumber });
  io.stdout(`Successfully released IP address ${ip}\n`);
}

async function releaseFromReports({ io, store, ipam }: Parts, options: ReleaseOptions): Promise<void> {
  const reports = await Promise.all(options.fromReport.map((path) => readReport(io, path)));
  const view = await ipamView(store);
  refuseOthers(view, reports);
  const cluster = clusterFacts(view);
  const ageless = reports.find(({ report }) => report.createdAt === undefined);
  if (ageless !== undefined && !cluster.isLocked && options.force !== true) {
    throw new CommandError(
      `--from-report = '${ageless.path}': does not say when it was made, as calicoctl's do not. Run \`calicoctl-ts datastore migrate lock\` ` +
        'and make it anew, as calicoctl asks; or --force, which goes by the age of each assignment',
    );
  }
  const plan = repairPlan(
    reports.map(({ report }) => evidenceOf(report, io.now())),
    audit(view.survey, view.users),
    // While the datastore is locked nobody is about to use an address that he was just given.
    { nowMs: io.now(), graceMs: cluster.isLocked ? 0 : options.grace * 1000, byOwnAge: options.force === true },
  );
  for (const line of plan.kept) io.stdout(`Kept ${line}\n`);
  if (options.dryRun === true) {
    io.stdout(wouldDo(plan));
    return;
  }
  const done = await ipam.repair(plan);
  for (const line of done.skipped) io.stdout(`Skipped: ${line}\n`);
  const skipped = plan.handles.length - done.handles;
  io.stdout(
    `Released ${done.addresses} IPs successfully\n` +
      `Released ${done.handles} handles; ${skipped} skipped; 0 errors.\n` +
      `Corrected ${done.counts} counts, ended ${done.claims} claims of nodes that are gone.\n`,
  );
  if (cluster.isLocked) io.stdout('You may now unlock the data store.\n');
}

interface NamedReport {
  readonly path: string;
  readonly report: IpamReport;
}

async function readReport(io: CliIo, path: string): Promise<NamedReport> {
  const [found] = await io.readManifests(path, false);
  try {
    return { path, report: parseReport(found?.text ?? '') };
  } catch (error) {
    throw new CommandError(`--from-report = '${path}': ${(error as Error).message}`);
  }
}

/** Nothing overrides these: what another datastore or half a datastore says is no evidence. */
function refuseOthers(view: IpamView, reports: readonly NamedReport[]): void {
  const { guid, revision } = clusterFacts(view);
  for (const { path, report } of reports) {
    if (report.clusterGUID !== guid) {
      throw new CommandError(
        `--from-report = '${path}': its clusterGUID is '${report.clusterGUID}', and the cluster's is '${guid}'`,
      );
    }
    const history = historyOf(report);
    // calicoctl's says no more of the datastore's past than this.
    if (history === undefined && report.clusterInformationRevision !== revision) {
      throw new CommandError(
        `--from-report = '${path}': is of the ClusterInformation of revision ${report.clusterInformationRevision || 'none'}, which is at ${revision || 'none'} now; make a new one`,
      );
    }
    const other = history === undefined ? undefined : otherHistory(history, view.listing);
    if (other !== undefined)
      throw new CommandError(`--from-report = '${path}': is of another datastore's past: ${other}`);
  }
  if (!reports.some(({ report }) => report.clusterInformationRevision === revision)) {
    throw new CommandError(
      `--from-report: no report is of the ClusterInformation of now (revision ${revision || 'none'}): it was written since; make a new one`,
    );
  }
  const [unread] = view.unreadable.filter(({ key }) => OWNERS.test(key));
  if (unread === undefined) return;
  throw new CommandError(
    `cannot read ${unread.key}: ${unread.reason}. Whose addresses it has is unknown, so nothing is released`,
  );
}

/** Records that say who uses addresses, and the blocks themselves. */
const OWNERS = /\/(nodes|workloadendpoints|block)\//;

function wouldDo({ addresses, handles, counts, claims }: RepairPlan): string {
  const lines = [
    ...addresses.map(({ ip, handle }) => `Would release ${ip} of handle ${handle ?? '<none>'}`),
    ...handles.map(({ id }) => `Would delete handle ${id}, which has no address`),
    ...counts.map(
      ({ handle, cidr, counted, allocated }) =>
        `Would correct handle ${handle}: ${counted} to ${allocated} of block ${cidr}`,
    ),
    ...claims.map(({ node, prefix }) => `Would end the claim of ${node} to block ${formatPrefix(prefix)}`),
    `Nothing has been changed: ${addresses.length} IPs, ${handles.length} handles, ${counts.length} counts and ${claims.length} claims would be.`,
  ];
  return `${lines.join('\n')}\n`;
}
