import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { COMMAND_ROWS } from '../../../src/cli/commands/index.ts';
import { FakeShell } from '../../support/cli.ts';

const io = { stdout: () => undefined, stderr: () => undefined } as never;

test.each(COMMAND_ROWS.map((row) => [row.name, row] as const))(
  '%s is in the help as its own file declares it',
  async (_, row) => {
    const program = new Command();
    (await row.load())(program, io);
    const [command] = program.commands;
    expect(program.commands).toHaveLength(1);
    expect({
      name: command!.name(),
      description: command!.description(),
      args: command!.registeredArguments.map((argument) => {
        const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
        return argument.required ? `<${name}>` : `[${name}]`;
      }),
      hasOptions: command!.options.length > 0,
    }).toEqual({ name: row.name, description: row.description, args: row.args, hasOptions: row.hasOptions });
  },
);

describe('only the command that is called is loaded', () => {
  test.each([
    [['get', 'nodes'], ''],
    [['-l', 'get', 'version', '--client'], 'unknown log level'],
    [['--log-level', 'info', 'version', '--client'], ''],
    [['help', 'patch'], ''],
    [['patch', '--help'], ''],
  ])('%j', async (args, message) => {
    const { stdout, stderr } = await new FakeShell().run(...args);
    expect(stderr).toContain(message);
    if (args.includes('patch')) expect(stdout).toContain('--dry-run');
  });

  /** What takes long to load comes with import() alone. */
  test('and the program itself is light', () => {
    const seen = new Set<string>();
    const packages = new Set<string>();
    const walk = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = readFileSync(file, 'utf8');
      for (const [, specifier = ''] of text.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm)) {
        if (specifier.startsWith('.')) {
          if (specifier.endsWith('.ts')) walk(join(file, '..', specifier));
        } else packages.add(specifier);
      }
    };
    walk('src/cli/main.ts');
    expect([...packages].sort()).toEqual(['commander', 'node:fs', 'node:fs/promises', 'node:path']);
    expect(seen.size).toBeLessThan(15);
  });
});

test('the page of the CLI names every command, and no option that is none', async () => {
  const page = readFileSync('docs/calicoctl-ts.md', 'utf8');
  for (const { name, isHidden = false } of COMMAND_ROWS) {
    if (!isHidden) expect(page).toMatch(new RegExp(`calicoctl-ts ([a-z|]*\\|)?${name}\\b|\`${name}\``));
  }
  const help = new Map<string, string>();
  for (const line of page.matchAll(/^(?:\$ )?(?:[A-Z_]+=\S+ )?calicoctl-ts ([a-z|]+)( [a-z]+)?( [a-z]+)?.*$/gm)) {
    for (const verb of line[1]!.split('|')) {
      const group = ['datastore', 'ipam', 'node'].includes(verb)
        ? [verb, line[2]!.trim(), ...(verb === 'datastore' ? [line[3]?.trim() ?? ''] : [])]
        : [verb];
      const words = group.filter((word) => word !== '');
      const key = words.join(' ');
      if (!help.has(key)) help.set(key, (await new FakeShell().run(...words, '--help')).stdout);
      for (const [, option = ''] of line[0].replaceAll(/'[^']*'/g, '').matchAll(/(?<=[ [])(--?[a-z][a-z-]*)/g)) {
        expect([key, option, help.get(key)?.includes(option)]).toEqual([key, option, true]);
      }
    }
  }
  expect(help.size).toBeGreaterThan(8);
  expect(readdirSync('src/cli/commands').length).toBeGreaterThan(COMMAND_ROWS.length);
});
