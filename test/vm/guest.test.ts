import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { quote } from '../../src/demo/vm/guest.ts';
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

/** `GUEST_TESTS='tunl0 gone' vitest run --project vm -t guest/chaos.test` runs these tests of this file alone. */
const wanted = process.env['GUEST_TESTS'];

/** What tests tell of themselves, figures above all. */
const told = (text: string): readonly string[] => [...text.matchAll(/chaos: .*/g)].map(([line]) => line);

/** A machine for each file: emulation is slow, and so no file's time is another's. */
const files = readdirSync('test/vm/guest').filter((file) => file.endsWith('.test.ts'));

test.skipIf(obstacle !== undefined).each(files)(
  name('on Debian’s kernel, which has ipip, every test of guest/%s passes and none is skipped'),
  async (file) => {
    const bundle = await bundleDataplaneProcess('.cache/guest');
    const report = '/tmp/guest-report.json';
    const some = wanted === undefined ? '' : ` -t ${quote(wanted)}`;
    const vitest = `vitest run --project guest --reporter=json --outputFile=${report} test/vm/guest/${file}${some}`;
    // The report alone on stdout, vitest's own words on the console.
    const command = `CALICO_TS_GUEST=1 DATAPLANE_PROCESS=${bundle} ${vitest} >&2; code=$?; cat ${report}; exit $code`;
    const result = await runInVm(command, { timeoutMs: 850_000 });
    for (const line of told(result.console)) process.stderr.write(`${line}\n`);
    if (!result.stdout.startsWith('{')) {
      throw new Error(`vitest in the VM left no report, exit code ${result.exitCode}:\n${result.console}`);
    }
    const parsed = JSON.parse(result.stdout) as JsonReport;
    expect(failuresOf(parsed).join('\n\n')).toBe('');
    expect(result.exitCode).toBe(0);
    expect(parsed.numPassedTests).toBeGreaterThan(0);
    if (wanted === undefined) expect(parsed.numPendingTests).toBe(0);
  },
);
