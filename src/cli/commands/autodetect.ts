import { Option } from 'commander';
import type { Command } from 'commander';
import { detectAddress } from '../../agent/autodetect.ts';
import type { Detection } from '../../agent/autodetect.ts';
import { addressCandidate } from '../../agent/status.ts';
import { formatDetectionMethod, parseDetectionMethod } from '../../config/detection-method.ts';
import type { IpFamily } from '../../model/ip.ts';
import type { CliIo } from '../io.ts';
import { CommandError } from '../io.ts';
import { formatRanking } from '../node/node-status-addresses.ts';
import { formatJson, outputOption } from '../output-option.ts';

interface Options {
  readonly family: '4' | '6';
  readonly output: string;
}

export function addAutodetectCommand(node: Command, io: CliIo): void {
  node
    .command('autodetect')
    .description('which address of this host a detection method would take, and why: a dry run, nothing is written')
    .argument(
      '[method]',
      'first-found, interface=…, skip-interface=…, cidr=…, can-reach=… (default: what the environment says)',
    )
    .addOption(new Option('--family <family>', 'IPv4 or IPv6').choices(['4', '6']).default('4'))
    .addOption(outputOption())
    .action(async (method: string | undefined, options: Options) => {
      const family: IpFamily = options.family === '4' ? 4 : 6;
      const variable = family === 4 ? 'IP_AUTODETECTION_METHOD' : 'IP6_AUTODETECTION_METHOD';
      const wanted = parseDetectionMethod(
        method ?? io.env[variable] ?? '',
        method === undefined ? variable : 'method',
        family,
      );
      if (wanted.kind === 'kubernetes-internal-ip') {
        throw new CommandError(
          'kubernetes-internal-ip goes by the InternalIP in spec.addresses of the Node resource, which is not read here: calicoctl-ts get node NAME -o yaml',
        );
      }
      const source =
        wanted.kind === 'can-reach' ? await io.network.sourceTowards(wanted.destination, family) : undefined;
      const interfaces = await io.network.interfaces();
      const detection = detectAddress(wanted, { family, interfaces, ...(source && { sourceTowards: source }) });
      const setting = `${variable}=${formatDetectionMethod(wanted)}`;
      io.stdout(
        options.output === 'json' ? formatJson(asReport(detection, setting)) : formatDetection(detection, setting),
      );
      if (detection.kind === 'none') throw new CommandError(options.output === 'json' ? detection.reason : '');
    });
}

const asReport = (detection: Detection, setting: string): object => ({
  setting,
  found: detection.kind === 'found',
  ambiguous: detection.kind === 'found' && detection.isAmbiguous,
  reason: detection.reason,
  candidates: detection.candidates.map(addressCandidate),
});

function formatDetection(detection: Detection, setting: string): string {
  const table = formatRanking(detection.candidates.map(addressCandidate));
  const lines =
    detection.kind === 'none'
      ? [`${setting} finds no address on this host.`]
      : [
          `${setting} takes ${detection.reason}`,
          ...(detection.isAmbiguous ? ['Others would do as well: choose one by a method that names it.'] : []),
          'An address that the node has already would stay while it is up and the method does not exclude it.',
        ];
  return `${lines.join('\n')}\n${table}`;
}
