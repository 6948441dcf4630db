import { expect, test } from 'vitest';
import { runInVm, vmObstacle } from '../../src/demo/vm/run-in-vm.ts';
import { bundleDataplaneProcess } from '../support/dataplane-bundle.ts';

const obstacle = await vmObstacle();
if (obstacle !== undefined && process.env['CI'] !== undefined) throw new Error(`CI needs the VM: ${obstacle}`);
const name = (sentence: string): string => (obstacle === undefined ? sentence : `${sentence} (skipped: ${obstacle})`);

/** What this test needs of vitest's JSON report. */
interface JsonReport {
  readonly numPassedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** One paragraph for each test that failed in the guest, and for each file that did not load. */
const failuresOf = ({ testResults }: JsonReport): readonly string[] =>
  testResults.flatMap(({ name: file, message, assertionResults }) => [
    ...(message === '' ? [] : [`${file}: ${message}`]),
    ...assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => [fullName, ...failureMessages].join('\n')),
  ]);

test.skipIf(obstacle !== undefined)(
  name('on Debian’s kernel, which has ipip, every test of the project `guest` passes and none is skipped'),
  async () => {
    const bundle = await bundleDataplaneProcess('.cache/guest');
    const report = '/tmp/guest-report.json';
    const vitest = `vitest run --project guest --reporter=json --outputFile=${report}`;
    // The report alone on stdout, vitest's own words on the console.
    const command = `CALICO_TS_GUEST=1 DATAPLANE_PROCESS=${bundle} ${vitest} >&2; code=$?; cat ${report}; exit $code`;
    const result = await runInVm(command, { timeoutMs: 850_000 });
    if (!result.stdout.startsWith('{')) {
      throw new Error(`vitest in the VM left no report, exit code ${result.exitCode}:\n${result.console}`);
    }
    const parsed = JSON.parse(result.stdout) as JsonReport;
    expect(failuresOf(parsed).join('\n\n')).toBe('');
    expect(result.exitCode).toBe(0);
    expect(parsed.numPassedTests).toBeGreaterThan(0);
    expect(parsed.numPendingTests).toBe(0);
  },
);
