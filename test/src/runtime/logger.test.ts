import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** stderr is a file descriptor of the process, so the logger runs in one of its own. */
function logOf(code: string): Record<string, unknown>[] {
  const script = `import { createLogger } from './src/runtime/logger.ts';\n${code}`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(run.stdout).toBe('');
  return run.stderr
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('one JSON line per event on stderr, with the fields of all parents', () => {
  const [line, ...rest] = logOf(
    "createLogger('info').child({ component: 'bird' }).child({ peer: '10.0.0.1' }).info({ holdSeconds: 90 }, 'session established');",
  );
  expect(rest).toEqual([]);
  expect(line).toMatchObject({
    level: 'info',
    component: 'bird',
    peer: '10.0.0.1',
    holdSeconds: 90,
    msg: 'session established',
  });
  expect(Date.parse(line!['time'] as string)).toBeGreaterThan(0);
});

test('a component with a threshold of its own can change it while it runs, its children with it', () => {
  const lines = logOf(`
    const threshold = { level: 'info' };
    const root = createLogger('warn');
    const bird = root.child({ component: 'bird' }, threshold);
    const peer = bird.child({ peer: 'x' });
    root.info({}, 'hidden');
    peer.debug({}, 'hidden');
    threshold.level = 'debug';
    peer.debug({}, 'shown');
  `);
  expect(lines.map(({ msg }) => msg)).toEqual(['shown']);
});
