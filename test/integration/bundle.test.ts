/** What is built, not the sources: packages inside a bundle have other names for their exports than those that Node loads. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeAgentLab, untilSettled } from '../support/agent-lab.ts';
import type { AgentLab } from '../support/agent-lab.ts';
import { isRoot } from '../support/netns.ts';

describe.skipIf(!isRoot)('calico-node-ts as it is built', () => {
  let lab: AgentLab;

  beforeAll(() => {
    const { status, stderr } = spawnSync('npm', ['run', '--silent', 'build'], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    lab = makeAgentLab('ctb', {
      program: join('dist', 'calico-node-ts.mjs'),
      environment: { FELIX_HEALTHENABLED: 'true', FELIX_PROMETHEUSMETRICSENABLED: 'true' },
    });
  });

  afterAll(() => lab.remove());

  test('answers the probes, a scrape and its own CLI', async () => {
    for (const node of lab.nodes) node.start();
    await untilSettled(lab);
    const [a] = lab.nodes;
    const get = (url: string): string => a!.netns.run('curl', '-sS', '-w', '%{http_code}', `http://127.0.0.1:${url}`);
    expect(get('9099/liveness')).toMatch(/200$/);
    expect(get('9091/metrics')).toMatch(/calico_[^]*200$/);
    expect(a!.ctl('node', 'status')).toMatchObject({ status: 0, said: expect.stringContaining('172.30.7.12') });
  });
});
