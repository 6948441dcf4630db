import type { Command } from 'commander';
import { audit } from '../../ipam/index.ts';
import type { CliIo } from '../io.ts';
import { formatCheck } from '../ipam/check.ts';
import { reportOf } from '../ipam/report.ts';
import { ipamView } from '../ipam/view.ts';
import { formatJson } from '../output-option.ts';
import { withStore } from '../session.ts';

interface IpamCheckOptions {
  readonly showAllIps?: boolean;
  readonly showProblemIps?: boolean;
  readonly output?: string;
}

export function addIpamCheckCommand(ipam: Command, io: CliIo): void {
  ipam
    .command('check')
    .description('looks for leaked addresses, wrong counts and claims of nodes that are gone; changes nothing')
    .option('--show-all-ips', 'every address, with what becomes of it')
    .option('--show-problem-ips', 'the addresses with a problem')
    .option('-o, --output <file>', 'a report, from which `ipam release --from-report` repairs')
    .action((options: IpamCheckOptions) =>
      withStore(io, async (store) => {
        const view = await ipamView(store);
        const found = audit(view.survey, view.users);
        const { showAllIps = false, showProblemIps = false } = options;
        io.stdout(formatCheck(view, found, { showAllIps, showProblemIps }));
        if (options.output === undefined) return;
        const circumstances = { version: io.version, nowMs: io.now(), view };
        await io.writeFile(options.output, formatJson(reportOf(found, circumstances)));
        io.stdout(
          `The report is in ${options.output}. Nothing has been changed; to see what a repair would do:\n` +
            `  calicoctl-ts ipam release --from-report=${options.output} --dry-run\n`,
        );
      }),
    );
}
