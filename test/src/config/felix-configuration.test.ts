import { describe, expect, test } from 'vitest';
import { FELIX_VARIABLES, withFelixConfigurations } from '../../../src/config/felix-configuration.ts';
import type { SoundFields } from '../../../src/config/felix-configuration.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { variables } from '../../../src/config/variables.ts';
import { resourceSchema } from '../../../src/resources/json-schema.ts';
import { resource } from '../../support/resources.ts';

/** As the agent would hand it over: checked, under the name that messages use. */
const source = (name: string, spec: object) => ({
  name: `FelixConfiguration(${name})`,
  spec: resource('FelixConfiguration', name, spec).spec,
});

const settingsOf = (env: Readonly<Record<string, string>>, ...sources: readonly ReturnType<typeof source>[]) =>
  loadSettings(withFelixConfigurations(env, sources).environment);

const EVERYTHING = {
  routeRefreshInterval: '2m',
  ipipMTU: 1400,
  vxlanMTU: 1390,
  vxlanMTUV6: 1370,
  vxlanVNI: 7,
  vxlanPort: 4790,
  healthEnabled: true,
  healthHost: '127.0.0.2',
  healthPort: 9199,
  prometheusMetricsEnabled: true,
  prometheusMetricsHost: '127.0.0.3',
  prometheusMetricsPort: 9191,
  prometheusGoMetricsEnabled: false,
  prometheusProcessMetricsEnabled: false,
  natPortRange: '1024:2047',
  natOutgoingAddress: '203.0.113.1',
  natOutgoingExclusions: 'ippoolsandhostips',
  logSeverityScreen: 'warning',
};

describe('a FelixConfiguration', () => {
  test('says what its variables would say', () => {
    const env = {
      FELIX_ROUTEREFRESHINTERVAL: '120',
      FELIX_IPINIPMTU: '1400',
      FELIX_VXLANMTU: '1390',
      FELIX_VXLANMTUV6: '1370',
      FELIX_VXLANVNI: '7',
      FELIX_VXLANPORT: '4790',
      FELIX_HEALTHENABLED: 'true',
      FELIX_HEALTHHOST: '127.0.0.2',
      FELIX_HEALTHPORT: '9199',
      FELIX_PROMETHEUSMETRICSENABLED: 'true',
      FELIX_PROMETHEUSMETRICSHOST: '127.0.0.3',
      FELIX_PROMETHEUSMETRICSPORT: '9191',
      FELIX_PROMETHEUSGOMETRICSENABLED: 'false',
      FELIX_PROMETHEUSPROCESSMETRICSENABLED: 'false',
      FELIX_NATPORTRANGE: '1024:2047',
      FELIX_NATOUTGOINGADDRESS: '203.0.113.1',
      FELIX_NATOUTGOINGEXCLUSIONS: 'IPPoolsAndHostIPs',
      FELIX_LOGSEVERITYSCREEN: 'Warning',
    };
    const settings = settingsOf({}, source('default', EVERYTHING));
    expect(settings).toEqual(loadSettings(env));
    expect(settings.logThreshold).toBe('warn');
    expect(settings.metrics).toEqual({ host: '127.0.0.3', port: 9191, process: false, runtime: false });
    expect(settings.felix).not.toEqual(loadSettings({}).felix);
  });

  test('has a field for each of Felix’s variables that is Calico’s, and knows no other', () => {
    const felix = Object.values(variables)
      .map(([name]) => name)
      .filter((name) => name.startsWith('FELIX_'));
    const ours = ['FELIX_ADOPTCALICOROUTES'];
    expect(Object.values(FELIX_VARIABLES).toSorted()).toEqual(felix.filter((name) => !ours.includes(name)).toSorted());
    const { $defs } = resourceSchema() as {
      readonly $defs: {
        readonly FelixConfiguration: { readonly properties: { readonly spec: { readonly properties: object } } };
      };
    };
    const fields = Object.keys($defs.FelixConfiguration.properties.spec.properties);
    expect(Object.keys(FELIX_VARIABLES).filter((field) => !fields.includes(field))).toEqual([]);
    expect(Object.keys(EVERYTHING).toSorted()).toEqual(Object.keys(FELIX_VARIABLES).toSorted());
  });
});

describe('the environment, a node’s own FelixConfiguration and the cluster’s', () => {
  test.each<[string | undefined, number | undefined, number | undefined, number]>([
    [undefined, undefined, undefined, 4789],
    [undefined, undefined, 3, 3],
    [undefined, 2, undefined, 2],
    [undefined, 2, 3, 2],
    ['1', undefined, 3, 1],
    ['1', 2, 3, 1],
  ])('variable %s, own %s, cluster %s: %i', (...row) => {
    const [variable, own, cluster, expected] = row;
    const port = (vxlanPort: number | undefined) => (vxlanPort === undefined ? {} : { vxlanPort });
    const env: Record<string, string> = variable === undefined ? {} : { FELIX_VXLANPORT: variable };
    const sources = [source('node.a', port(own)), source('default', port(cluster))];
    expect(settingsOf(env, ...sources).felix.vxlanPort).toBe(expected);
  });

  test('decide about each field by itself', () => {
    const { felix } = settingsOf(
      { FELIX_VXLANVNI: '1' },
      source('node.a', { vxlanVNI: 2, ipipMTU: 1402 }),
      source('default', { vxlanVNI: 3, ipipMTU: 1403, vxlanMTU: 1403 }),
    );
    expect(felix).toMatchObject({ vxlanVni: 1, ipipMtu: 1402, vxlanMtu: 1403 });
  });

  test('an empty text and a false are told apart from nothing', () => {
    const weaker = source('default', { natOutgoingAddress: '203.0.113.1', healthEnabled: true });
    const { felix, health } = settingsOf(
      {},
      source('node.a', { natOutgoingAddress: '', healthEnabled: false }),
      weaker,
    );
    expect(felix.nat.address).toBeDefined();
    expect(health).toBeUndefined();
  });

  test('a value that no setting of ours takes is told and passed over, for the next that has the field', () => {
    const env = { FELIX_VXLANVNI: '9' };
    const { environment, problems } = withFelixConfigurations(env, [
      source('node.a', { vxlanPort: 0, routeRefreshInterval: '999ms', vxlanVNI: 0 }),
      source('default', { vxlanPort: 5, routeRefreshInterval: '48h' }),
    ]);
    expect(problems).toEqual([
      "FelixConfiguration(node.a) spec.routeRefreshInterval: FELIX_ROUTEREFRESHINTERVAL = '0.999': is not 0 or a number of seconds from 1 to 86400; it is passed over",
      "FelixConfiguration(default) spec.routeRefreshInterval: FELIX_ROUTEREFRESHINTERVAL = '172800': is not 0 or a number of seconds from 1 to 86400; it is passed over",
      "FelixConfiguration(node.a) spec.vxlanPort: FELIX_VXLANPORT = '0': is not a whole number from 1 to 65535; it is passed over",
    ]);
    expect(environment).toEqual({ FELIX_VXLANPORT: '5', FELIX_VXLANVNI: '9' });
  });

  test.each([
    ['0s', 0],
    ['1500ms', 1.5],
    ['2m', 120],
  ])('an interval of %s is %d s, and 0 is none', (routeRefreshInterval, seconds) => {
    expect(settingsOf({}, source('default', { routeRefreshInterval })).felix.resyncSeconds).toBe(seconds);
  });

  test('leave everything else as it is', () => {
    const env = { NODENAME: 'a', UNSET: undefined };
    expect(withFelixConfigurations(env, [source('default', { logPrefix: 'x' })])).toMatchObject({
      environment: env,
      problems: [],
    });
    expect(env).toEqual({ NODENAME: 'a', UNSET: undefined });
  });

  test('of a field that became wrong what it said before stays, until it says something else or nothing', () => {
    const at = (spec: object, before?: SoundFields) => withFelixConfigurations({}, [source('default', spec)], before);
    const good = at({ vxlanPort: 5 });
    const bad = at({ vxlanPort: 0 }, good.sound);
    expect(bad.environment).toEqual({ FELIX_VXLANPORT: '5' });
    expect(bad.problems).toEqual([expect.stringMatching(/; 5 stays in force$/)]);
    expect(at({ vxlanPort: 0 }, bad.sound).environment).toEqual({ FELIX_VXLANPORT: '5' });
    expect(at({ vxlanPort: 6 }, bad.sound)).toMatchObject({ environment: { FELIX_VXLANPORT: '6' }, problems: [] });
    expect(at({ vxlanPort: 0 }, at({}, bad.sound).sound).environment).toEqual({});
  });
});
