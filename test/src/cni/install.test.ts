import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CniFiles } from '../../../src/agent/cni-files.ts';
import { installCni } from '../../../src/cni/install/install.ts';
import type { InstallReport } from '../../../src/cni/install/install.ts';
import { installedCni } from '../../../src/cni/install/installed.ts';
import { pluginVersions } from '../../../src/cni/install/plugin-versions.ts';
import { cniPlaces, installSettings } from '../../../src/cni/install/settings.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { memoryLogger } from '../../support/memory-logger.ts';

let root: string;
let [own, other, bin, net] = ['', '', '', ''];

const install = (env: Readonly<Record<string, string>> = {}, arch = 'x64'): InstallReport => {
  const settings = installSettings(env, { binDir: bin, netDir: net }, own);
  const ports = { wallTime: () => Date.now(), arch, versionsOf: pluginVersions() };
  return installCni({ ...settings, otherDirectories: [other] }, ports);
};
const conflist = (name = '10-calico.conflist'): Record<string, unknown> =>
  JSON.parse(readFileSync(join(net, name), 'utf8')) as Record<string, unknown>;
const mode = (path: string): number => statSync(path).mode & 0o7777;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'calico-ts-install-'));
  [own, other, bin, net] = ['own', 'other', 'host/bin', 'host/net.d'].map((name) => join(root, name)) as [
    string,
    string,
    string,
    string,
  ];
  mkdirSync(own);
  mkdirSync(other);
  writeFileSync(join(own, 'calico-cni-ts-x64'), 'plugin of x64');
  writeFileSync(join(own, 'calico-cni-ts-arm64'), 'plugin of arm64');
  writeFileSync(join(other, 'portmap'), 'portmap of Debian');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a host that has nothing', () => {
  test('gets the plugins, then the configuration', () => {
    const [plugin, portmap, conf] = [join(bin, 'calico-cni-ts'), join(bin, 'portmap'), join(net, '10-calico.conflist')];
    expect(install()).toEqual({ done: [`wrote ${plugin}`, `wrote ${portmap}`, `wrote ${conf}`], left: [] });
    expect(readFileSync(plugin, 'utf8')).toBe('plugin of x64');
    expect([mode(plugin), mode(portmap), mode(conf)]).toEqual([0o755, 0o755, 0o600]);
    expect(readdirSync(bin).sort()).toEqual(['calico-cni-ts', 'portmap']);
    expect(readdirSync(net)).toEqual(['10-calico.conflist']);
  });

  test('the configuration is the sample in config/cni', () => {
    install();
    expect(conflist()).toEqual(JSON.parse(readFileSync('config/cni/10-calico.conflist', 'utf8')));
  });

  test('the plugin is that of the architecture', () => {
    install({}, 'arm64');
    expect(readFileSync(join(bin, 'calico-cni-ts'), 'utf8')).toBe('plugin of arm64');
  });

  test('MTU, socket and what is chained are settings', () => {
    writeFileSync(join(other, 'bandwidth'), 'x');
    install({ CNI_MTU: '1430', CALICO_RUN_DIR: '/run/c', CALICO_CNI_CHAIN: 'portmap, bandwidth' });
    expect(conflist()['plugins']).toEqual([
      expect.objectContaining({ type: 'calico-cni-ts', mtu: 1430, socket: '/run/c/calico-ts.sock' }),
      { type: 'portmap', snat: true, capabilities: { portMappings: true } },
      { type: 'bandwidth', capabilities: { bandwidth: true } },
    ]);
    install({ CALICO_CNI_CHAIN: 'none' });
    expect(conflist()['plugins']).toHaveLength(1);
  });
});

describe('version 1.1.0, with which a runtime calls GC and STATUS', () => {
  const plugin = (...versions: readonly string[]): string =>
    `#!/bin/sh\n[ "$CNI_COMMAND" = VERSION ] && echo '${JSON.stringify({ cniVersion: '1.0.0', supportedVersions: versions })}'\n`;
  const versions = (): readonly unknown[] => [conflist()['cniVersion'], conflist()['cniVersions']];

  test('is offered where all chained plugins say that they know it, and an older runtime keeps to 1.0.0', () => {
    writeFileSync(join(other, 'portmap'), plugin('1.0.0', '1.1.0'));
    writeFileSync(join(other, 'bandwidth'), plugin('1.0.0'));
    install();
    expect(versions()).toEqual(['1.0.0', ['1.0.0', '1.1.0']]);
    install({ CALICO_CNI_CHAIN: 'portmap,bandwidth' });
    expect(versions()).toEqual(['1.0.0', undefined]);
    install({ CALICO_CNI_CHAIN: 'none' });
    expect(versions()).toEqual(['1.0.0', ['1.0.0', '1.1.0']]);
  });

  test.each([
    ['does not answer', '#!/bin/sh\nexit 1\n'],
    ['answers something else', '#!/bin/sh\necho "{}"\n'],
    ['cannot be started', 'x'],
  ])('is not where one %s', (_, text) => {
    writeFileSync(join(other, 'portmap'), text);
    install();
    expect(versions()).toEqual(['1.0.0', undefined]);
  });

  test('is not waited for where a plugin neither answers nor ends when it is told to', () => {
    const path = join(root, 'portmap');
    writeFileSync(path, "#!/bin/sh\ntrap '' TERM\nfor i in 1 2 3 4 5; do sleep 1; done\n", { mode: 0o755 });
    const startedAt = Date.now();
    expect(pluginVersions(300)(path)).toEqual([]);
    expect(Date.now() - startedAt).toBeLessThan(4_000);
  });

  test('is asked for again where a plugin failed, or took too long, for what is not its own doing', () => {
    const [versionsOf, path, needed] = [pluginVersions(), join(root, 'portmap'), join(root, 'library')];
    writeFileSync(path, `${plugin('1.1.0')}[ -e ${needed} ] || exit 127\n`, { mode: 0o755 });
    expect(versionsOf(path)).toEqual([]);
    writeFileSync(needed, '');
    expect(versionsOf(path)).toEqual(['1.1.0']);
    writeFileSync(path, `#!/bin/sh\n[ -e ${needed} ] && exec sleep 9\n${plugin('1.1.0')}`, { mode: 0o755 });
    expect(versionsOf(path)).toEqual([]);
    rmSync(needed);
    expect(versionsOf(path)).toEqual(['1.1.0']);
  });

  test('is not asked for again and again where a plugin hangs: the whole agent waits for it', () => {
    const [versionsOf, path, hangs] = [pluginVersions(300), join(root, 'portmap'), join(root, 'hangs')];
    writeFileSync(path, `#!/bin/sh\necho >> ${root}/asked\n[ -e ${hangs} ] && exec sleep 9\n${plugin('1.1.0')}`, {
      mode: 0o755,
    });
    writeFileSync(hangs, '');
    for (let i = 0; i < 5; i++) expect(versionsOf(path)).toEqual([]);
    expect(readFileSync(join(root, 'asked'), 'utf8').length).toBeLessThanOrEqual(3);
    rmSync(hangs);
    expect(versionsOf(path)).toEqual([]);
  });

  test('is gone again when somebody puts an older one in its place', () => {
    const versionsOf = pluginVersions();
    const path = join(root, 'portmap');
    for (const [text, known] of [
      [plugin('1.1.0'), ['1.1.0']],
      [plugin('1.0.0', '0.4.0'), ['1.0.0', '0.4.0']],
    ] as const) {
      writeFileSync(path, text, { mode: 0o755 });
      expect(versionsOf(path)).toEqual(known);
    }
  });
});

describe('what is there already', () => {
  test('is not written again where it is right', () => {
    install();
    const paths = [join(bin, 'calico-cni-ts'), join(bin, 'portmap'), join(net, '10-calico.conflist')];
    const inodes = paths.map((path) => statSync(path).ino);
    expect(install()).toEqual({ done: [], left: paths });
    expect(paths.map((path) => statSync(path).ino)).toEqual(inodes);
  });

  test.each([
    ['other octets', (path: string) => writeFileSync(path, 'plugin of x6X')],
    ['another mode', (path: string) => chmodSync(path, 0o644)],
    ['nothing', (path: string) => rmSync(path)],
  ])('is put right where it has %s, as a new file', (_, spoil) => {
    install();
    const path = join(bin, 'calico-cni-ts');
    const held = statSync(path).ino;
    spoil(path);
    expect(install().done).toEqual([`wrote ${path}`]);
    expect(readFileSync(path, 'utf8')).toBe('plugin of x64');
    expect(mode(path)).toBe(0o755);
    // Not for the one that was removed: its inode may be used again.
    if (_ !== 'nothing') expect(statSync(path).ino).not.toBe(held);
  });

  test('a chained plugin of somebody else stays', () => {
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'portmap'), 'a newer one');
    expect(install().left).toEqual([join(bin, 'portmap')]);
    expect(readFileSync(join(bin, 'portmap'), 'utf8')).toBe('a newer one');
  });

  test.each([{ SKIP_CNI_BINARIES: 'x, calico-cni-ts' }, { UPDATE_CNI_BINARIES: 'false' }])(
    'ours stays with %j',
    (env) => {
      install();
      writeFileSync(join(own, 'calico-cni-ts-x64'), 'a newer one');
      expect(install(env).done).toEqual([]);
      expect(install().done).toEqual([`wrote ${join(bin, 'calico-cni-ts')}`]);
    },
  );

  test('an earlier configuration goes once the new one is there', () => {
    mkdirSync(net, { recursive: true });
    writeFileSync(join(net, '05-old.conf'), '{}');
    expect(install({ CNI_OLD_CONF_NAME: '05-old.conf' }).done.at(-1)).toBe(`removed ${join(net, '05-old.conf')}`);
    expect(readdirSync(net)).toEqual(['10-calico.conflist']);
    expect(install({ CNI_OLD_CONF_NAME: '10-calico.conflist' }).done).toEqual([]);
  });

  test('what a killed installation left goes, but for what is young', () => {
    mkdirSync(net, { recursive: true });
    const [old, young] = ['1', '2'].map((pid) => join(net, `.10-calico.conflist.new-${pid}`)) as [string, string];
    writeFileSync(old, 'half');
    writeFileSync(young, 'half');
    utimesSync(old, 1, 1);
    install();
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  });
});

describe('no configuration without its plugins', () => {
  const nothingIsNamed = (): void => expect(existsSync(join(net, '10-calico.conflist'))).toBe(false);

  test('ours was not built', () => {
    rmSync(join(own, 'calico-cni-ts-x64'));
    expect(() => install()).toThrow(/^the plugin is not there: .*calico-cni-ts-x64; npm run build:cni makes it$/);
    nothingIsNamed();
  });

  test('a chained one is nowhere', () => {
    rmSync(join(other, 'portmap'));
    expect(() => install()).toThrow(`the configuration chains portmap, which is in none of ${other}: Debian has it in`);
    nothingIsNamed();
  });

  test('one that is skipped is not there', () => {
    expect(() => install({ SKIP_CNI_BINARIES: 'portmap' })).toThrow(
      `SKIP_CNI_BINARIES = 'portmap': and there is no ${join(bin, 'portmap')}`,
    );
    nothingIsNamed();
  });

  test('the place cannot be written: the old one stays, and nothing beside it', () => {
    install();
    rmSync(join(bin, 'calico-cni-ts'));
    mkdirSync(join(bin, 'calico-cni-ts'));
    expect(() => install()).toThrow();
    expect(readdirSync(bin).sort()).toEqual(['calico-cni-ts', 'portmap']);
  });
});

describe('a template of the operator', () => {
  const template = JSON.stringify({
    ...{ name: 'pods', cniVersion: '0.3.1' },
    plugins: [
      { type: 'calico-cni-ts', nodename: '__KUBERNETES_NODE_NAME__', mtu: '__CNI_MTU__', log_level: '__LOG_LEVEL__' },
    ],
  }).replace('"__CNI_MTU__"', '__CNI_MTU__');

  test('has its placeholders filled in', () => {
    install({ CNI_NETWORK_CONFIG: template, CNI_CONF_NAME: '20-x.conflist', NODENAME: 'n"1', CNI_MTU: '9000' });
    expect(conflist('20-x.conflist')['plugins']).toEqual([
      { type: 'calico-cni-ts', nodename: 'n"1', mtu: 9000, log_level: 'info' },
    ]);
  });

  test('comes from a file, too, and the text goes before it', () => {
    const file = join(root, 'template');
    writeFileSync(file, template.replace('pods', 'from-a-file'));
    install({ CNI_NETWORK_CONFIG_FILE: file });
    expect(conflist()['name']).toBe('from-a-file');
    install({ CNI_NETWORK_CONFIG_FILE: file, CNI_NETWORK_CONFIG: template });
    expect(conflist()['name']).toBe('pods');
  });

  test.each([
    [{ CNI_NETWORK_CONFIG: '{' }, /^CNI_NETWORK_CONFIG = '\{': is not JSON: /],
    [{ CNI_NETWORK_CONFIG: '[]' }, /: a conflist has a name$/],
    [{ CNI_NETWORK_CONFIG: '{"name":"x","type":"calico-cni-ts"}' }, /: a conflist has a list of plugins$/],
    [
      { CNI_NETWORK_CONFIG: '{"name":"x","plugins":[{"type":"calico"},{"type":"portmap"}]}' },
      /^CNI_NETWORK_CONFIG = 'calico, portmap': none of its plugins is calico-cni-ts$/,
    ],
    [
      { CNI_NETWORK_CONFIG: '{"name":"x","plugins":[{"type":"../x"}]}' },
      /^CNI_NETWORK_CONFIG plugins\[0\]\.type = '\.\.\/x': is not the name of a file$/,
    ],
    [{ CNI_NETWORK_CONFIG: '{"name":"__WHAT__"}' }, /^CNI_NETWORK_CONFIG = '__WHAT__': is a placeholder that nothing/],
    [{ CNI_NETWORK_CONFIG_FILE: '/nowhere' }, /^CNI_NETWORK_CONFIG_FILE = '\/nowhere': cannot be read: ENOENT/],
    [{ CNI_CONF_NAME: '../x.conflist' }, /^CNI_CONF_NAME = '\.\.\/x\.conflist': is not the name of a file that ends/],
    [{ CNI_CONF_NAME: 'x.conflist.bak' }, /^CNI_CONF_NAME = /],
    [{ CNI_MTU: 'big' }, /^CNI_MTU = 'big': is no MTU$/],
    [
      { CALICO_CNI_CHAIN: 'portmap,tuning' },
      /^CALICO_CNI_CHAIN = 'tuning': is not one of portmap, bandwidth, or none$/,
    ],
  ])('%j is refused by name, and nothing is touched', (env: Readonly<Record<string, string>>, sentence) => {
    expect(() => install(env)).toThrow(sentence);
    expect([existsSync(bin), existsSync(net)]).toEqual([false, false]);
  });
});

describe('an agent that looks after them', () => {
  test('looks once a minute, tells what it did, and a problem once', async () => {
    const clock = new FakeClock();
    const { log, lines } = memoryLogger();
    const answers = [
      { done: ['wrote x'], left: [] },
      { done: [], left: [] },
      new Error('a'),
      new Error('a'),
      { done: [], left: [] },
      new Error('a'),
    ];
    let calls = 0;
    const files = new CniFiles(
      () => {
        const answer = answers[calls++]!;
        if (answer instanceof Error) throw answer;
        return answer;
      },
      { clock, log },
    );
    files.start();
    for (let minute = 1; minute < answers.length; minute++) await clock.advance(60_000);
    expect(calls).toBe(answers.length);
    expect(lines.map(({ level }) => level)).toEqual(['info', 'error', 'error']);
    files.close();
    await clock.advance(600_000);
    expect(calls).toBe(answers.length);
  });
});

describe('what uninstall takes away', () => {
  const installed = (env: Readonly<Record<string, string>> = {}): readonly string[] =>
    installedCni(cniPlaces(env, { binDir: bin, netDir: net }));

  test('is our configuration, then our plugin, and none that it chains', () => {
    expect(installed()).toEqual([]);
    install();
    expect(installed()).toEqual([join(net, '10-calico.conflist'), join(bin, 'calico-cni-ts')]);
    install({ CNI_CONF_NAME: '05-ours.conflist' });
    expect(installed({ CNI_CONF_NAME: '05-ours.conflist' })[0]).toBe(join(net, '05-ours.conflist'));
  });

  test.each([
    ['of another network', JSON.stringify({ name: 'k8s-pod-network', plugins: [{ type: 'calico' }] })],
    ['that is none', 'x'],
  ])('a configuration %s stays', (_, text) => {
    install();
    writeFileSync(join(net, '10-calico.conflist'), text);
    expect(installed()).toEqual([join(bin, 'calico-cni-ts')]);
  });
});
