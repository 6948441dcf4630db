import { parseArgs } from 'node:util';

export type Datastore = 'file' | 'etcd';
export type Encapsulation = 'ipip' | 'vxlan';
export type SwitchKind = 'real' | 'own';

export type Action = 'show' | 'keep' | 'down' | 'help';

export interface DemoOptions {
  readonly action: Action;
  readonly datastore: Datastore;
  /** Absent: the demo picks. */
  readonly encap?: Encapsulation;
  readonly vm: boolean;
  readonly switches?: SwitchKind;
  readonly json: boolean;
}

/** A flag that the demo does not take: one sentence with the flag and the value. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const HELP = `npm run demo -- [flags]

Raises a cluster of four nodes, two switches and an office on this machine, shows that it works, takes it down.

  --keep               leave it up and say how to look around
  --down               remove a cluster that was kept
  --datastore KIND     file (default): a directory; etcd: a real etcd
  --encap KIND         ipip or vxlan between the racks; default: ipip where it can be had
  --vm                 run it in a VM on Debian's stock kernel
  --switches KIND      real: BIRD and FRR; own: our own speaker; default: real where they are installed
  --json               print the results for machines on stdout
  --help
`;

/** Reads the demo's command line. Throws UsageError. */
export function parseOptions(args: readonly string[]): DemoOptions {
  const values = read(args);
  if (values.keep === true && values.down === true) throw new UsageError('--keep and --down contradict each other');
  if (values.keep === true && values.vm === true)
    throw new UsageError('--keep = true: a cluster in the VM is gone with it');
  const encap = oneOf('--encap', values.encap, ['ipip', 'vxlan'] as const);
  const switches = oneOf('--switches', values.switches, ['real', 'own'] as const);
  return {
    action: values.help === true ? 'help' : values.down === true ? 'down' : values.keep === true ? 'keep' : 'show',
    datastore: oneOf('--datastore', values.datastore, ['file', 'etcd'] as const) ?? 'file',
    vm: values.vm ?? false,
    json: values.json ?? false,
    ...(encap === undefined ? {} : { encap }),
    ...(switches === undefined ? {} : { switches }),
  };
}

const FLAGS = {
  keep: { type: 'boolean' },
  down: { type: 'boolean' },
  datastore: { type: 'string' },
  encap: { type: 'string' },
  vm: { type: 'boolean' },
  switches: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

interface Values {
  readonly keep?: boolean;
  readonly down?: boolean;
  readonly datastore?: string;
  readonly encap?: string;
  readonly vm?: boolean;
  readonly switches?: string;
  readonly json?: boolean;
  readonly help?: boolean;
}

function read(args: readonly string[]): Values {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // Node's own text goes on about positional arguments; its first sentence has the flag.
    throw new UsageError(`${(error as Error).message.split('. ')[0]!.split('\n')[0]!} (see --help)`);
  }
}

function oneOf<T extends string>(flag: string, value: string | undefined, known: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = known.find((word) => word === value);
  if (found === undefined) throw new UsageError(`${flag} = '${value}': is none of ${known.join(', ')}`);
  return found;
}
