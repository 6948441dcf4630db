import type { Command } from 'commander';
import type { CliIo } from '../io.ts';

/** One command of the program. What `--help` says of it stands here, so that the rest is loaded only where it is called. */
export interface CommandRow {
  readonly name: string;
  readonly description: string;
  /** As its own file declares them. */
  readonly args: readonly string[];
  readonly hasOptions: boolean;
  readonly isHidden?: boolean;
  readonly load: () => Promise<(program: Command, io: CliIo) => void>;
}

/** In the order of `--help`. A new command is one file and one row. */
export const COMMAND_ROWS: readonly CommandRow[] = [
  {
    name: 'create',
    description: 'create resources',
    args: [],
    hasOptions: true,
    load: async () => (await import('./create.ts')).addCreateCommand,
  },
  {
    name: 'apply',
    description: 'create resources, or update those that exist',
    args: [],
    hasOptions: true,
    load: async () => (await import('./apply.ts')).addApplyCommand,
  },
  {
    name: 'replace',
    description: 'update resources that exist',
    args: [],
    hasOptions: true,
    load: async () => (await import('./replace.ts')).addReplaceCommand,
  },
  {
    name: 'patch',
    description: 'change fields of a resource',
    args: ['<kind>', '[name]'],
    hasOptions: true,
    load: async () => (await import('./patch.ts')).addPatchCommand,
  },
  {
    name: 'delete',
    description: 'delete resources by file, or by kind and names',
    args: ['[kind]', '[names...]'],
    hasOptions: true,
    load: async () => (await import('./delete.ts')).addDeleteCommand,
  },
  {
    name: 'get',
    description: 'show resources of a kind',
    args: ['<kind>', '[names...]'],
    hasOptions: true,
    load: async () => (await import('./get.ts')).addGetCommand,
  },
  {
    name: 'label',
    description: 'set or remove one label of a resource',
    args: ['<kind>', '<name>', '<label>'],
    hasOptions: true,
    load: async () => (await import('./label.ts')).addLabelCommand,
  },
  {
    name: 'validate',
    description: 'check resources in files; needs no datastore',
    args: [],
    hasOptions: true,
    load: async () => (await import('./validate.ts')).addValidateCommand,
  },
  {
    name: 'plan',
    description: 'shows what applying a file, or deleting, would change on which node: peers, routes, encapsulation',
    args: ['[kind]', '[names...]'],
    hasOptions: true,
    load: async () => (await import('./plan.ts')).addPlanCommand,
  },
  {
    name: 'ipam',
    description: 'looks at the addresses of the cluster, frees and repairs',
    args: [],
    hasOptions: false,
    load: async () => (await import('./ipam.ts')).addIpamCommand,
  },
  {
    name: 'datastore',
    description: 'the datastore as a whole',
    args: [],
    hasOptions: false,
    load: async () => (await import('./datastore.ts')).addDatastoreCommand,
  },
  {
    name: 'node',
    description: 'looks at and steers the agent on this host',
    args: [],
    hasOptions: false,
    load: async () => (await import('./node.ts')).addNodeCommand,
  },
  {
    name: 'peer',
    description: 'looks at BGP peers, and steers them',
    args: [],
    hasOptions: false,
    load: async () => (await import('./peer.ts')).addPeerCommand,
  },
  {
    name: 'route',
    description: 'asks about one route',
    args: [],
    hasOptions: false,
    load: async () => (await import('./route.ts')).addRouteCommand,
  },
  {
    name: 'routes',
    description: 'the routes that this node programs, each with its reason; or one of the tables of BGP',
    args: ['[table]'],
    hasOptions: true,
    load: async () => (await import('./routes.ts')).addRoutesCommand,
  },
  {
    name: 'version',
    description: 'show the version of this command, and of the cluster',
    args: [],
    hasOptions: true,
    load: async () => (await import('./version.ts')).addVersionCommand,
  },
  {
    name: 'completion',
    description: 'print the script that completes commands in a shell',
    args: ['<shell>'],
    hasOptions: false,
    load: async () => (await import('./completion.ts')).addCompletionCommand,
  },
  {
    name: '__complete',
    description: '',
    args: ['[words...]'],
    hasOptions: false,
    isHidden: true,
    load: async () => (await import('./complete.ts')).addCompleteCommand,
  },
];
