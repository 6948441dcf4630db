import { describe, expect, test } from 'vitest';
import { parseIpAddress } from '../../../src/model/ip.ts';
import { FakeShell } from '../../support/cli.ts';
import { hostOf } from '../../support/host-interfaces.ts';

function shellOn(...lines: readonly string[]): FakeShell {
  const shell = new FakeShell();
  shell.network = {
    interfaces: () => Promise.resolve(hostOf(...lines)),
    sourceTowards: () => Promise.resolve(parseIpAddress('10.0.0.5')),
  };
  return shell;
}

const HOST = ['2 eth0 10.0.0.5/24', '3 eth1 10.0.1.5/24,fd00::5/64', '4 docker0:bridge 172.17.0.1/16'];

describe('node autodetect', () => {
  test('shows what a method would take, and every other address with its reason', async () => {
    const { exitCode, stdout, stderr } = await shellOn(...HOST).run('node', 'autodetect', 'skip-interface=eth1');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      'IP_AUTODETECTION_METHOD=skip-interface=eth1 takes 10.0.0.5/24 of eth0, by skip-interface=eth1',
      'An address that the node has already would stay while it is up and the method does not exclude it.',
      '+-----------+---------------+----------+-----------------------------------------------------------+',
      '| INTERFACE | ADDRESS       | STANDING | WHY                                                       |',
      '+-----------+---------------+----------+-----------------------------------------------------------+',
      '| eth0      | 10.0.0.5/24   | taken    | is the only one that fits                                 |',
      "| docker0   | 172.17.0.1/16 | left out | is passed over for its name, as Calico's first-found does |",
      '| eth1      | 10.0.1.5/24   | left out | is to be skipped                                          |',
      '+-----------+---------------+----------+-----------------------------------------------------------+',
      '',
    ]);
  });

  test('says where the choice is nobody’s, and goes by the environment where no method is given', async () => {
    const shell = shellOn(...HOST);
    const { stdout } = await shell.run('node', 'autodetect');
    expect(stdout).toContain('IP_AUTODETECTION_METHOD=first-found takes 10.0.1.5/24 of eth1');
    expect(stdout).toContain('Others would do as well: choose one by a method that names it.');
    shell.env['IP_AUTODETECTION_METHOD'] = 'can-reach=8.8.8.8';
    expect((await shell.run('node', 'autodetect')).stdout).toContain('takes 10.0.0.5/24 of eth0');
    expect((await shell.run('node', 'autodetect', '--family', '6')).stdout).toContain(
      'IP6_AUTODETECTION_METHOD=first-found takes fd00::5/64 of eth1',
    );
  });

  test('finds nothing: the table all the same, exit code 1', async () => {
    const { exitCode, stdout, stderr } = await shellOn(...HOST).run('node', 'autodetect', 'cidr=192.168.0.0/16');
    expect([exitCode, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(/^IP_AUTODETECTION_METHOD=cidr=192.168.0.0\/16 finds no address on this host\.\n\+-/);
    expect(stdout).toContain('is in none of the networks asked for');
  });

  test('-o json, and a method that is none', async () => {
    const { stdout } = await shellOn(...HOST).run('node', 'autodetect', 'interface=eth1', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      setting: 'IP_AUTODETECTION_METHOD=interface=eth1',
      found: true,
      ambiguous: false,
      candidates: [{ interface: 'eth1', address: '10.0.1.5/24', standing: 'taken' }, {}, {}],
    });
    expect((await shellOn().run('node', 'autodetect', 'kubernetes-internal-ip')).stderr).toContain('is not read here');
    expect(await shellOn().run('node', 'autodetect', 'best')).toMatchObject({
      exitCode: 1,
      stderr:
        "method = 'best': is none of first-found, interface=…, skip-interface=…, cidr=…, can-reach=…, kubernetes-internal-ip\n",
    });
  });
});
