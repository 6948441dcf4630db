import { join } from 'node:path';

/** Where a cluster lives: all its names carry the prefix, all its files lie in the directory. */
export interface Layout {
  readonly prefix: string;
  readonly directory: string;
}

export const DEMO_LAYOUT: Layout = { prefix: 'calico-ts-', directory: '/run/calico-ts-demo' };

/** A command as it runs on one host of the cluster. */
export const onHost = ({ prefix }: Layout, host: string, command: readonly string[]): readonly string[] => [
  ...['ip', 'netns', 'exec', `${prefix}${host}`],
  ...command,
];

export const netnsPath = ({ prefix }: Layout, host: string): string => `/var/run/netns/${prefix}${host}`;

export const hostDirectory = ({ directory }: Layout, host: string): string => join(directory, host);

export const logFile = (layout: Layout, host: string, program: string): string =>
  join(hostDirectory(layout, host), `${program}.log`);

/** The control socket of a node's agent. */
export const agentSocket = (layout: Layout, node: string): string =>
  join(hostDirectory(layout, node), 'calico-ts.sock');

export const fileDatastore = ({ directory }: Layout): string => join(directory, 'datastore');
