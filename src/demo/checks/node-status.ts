import { agentStatus } from '../agents.ts';
import type { Cluster } from '../cluster.ts';
import { cliPath } from '../datastore.ts';
import { agentCliEnvironment } from '../environment.ts';
import { run } from '../process.ts';
import { NODES } from '../topology.ts';
import { mapBounded } from '../wait.ts';
import type { Check } from './check.ts';

/** nobody, as on Debian; any user that is not root would do. */
const UNPRIVILEGED = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** The CLI itself is asked, from the machine and not from the node, and without root. */
export const nodeStatus: Check = {
  name: 'node-status',
  title: 'calicoctl-ts node status on each node: all peers Established',
  run: async (cluster) => {
    const user = await unprivileged(cluster);
    const told = await mapBounded(NODES, 2, async ({ name }) => {
      const result = await askCli(cluster, name, user);
      const { bgp } = await agentStatus(cluster.layout, name);
      const rows = result.stdout.split('\n').filter((line) => /^\| \d/.test(line));
      const established = rows.filter((line) => line.includes('Established')).length;
      // The mesh and the switch of the rack.
      // 1: something is not as it should be, which the other checks are for.
      const ok = result.exitCode < 2 && established === NODES.length && rows.length === bgp.peers.length;
      return { name, ok, established, peers: rows.length, text: result.stdout.trim(), error: result.stderr.trim() };
    });
    const who =
      user.length > 0 ? 'as nobody' : 'as root, because nobody may not read this copy of Node or of the project';
    return {
      ok: told.every(({ ok }) => ok),
      lines: [
        `asked from the machine itself, ${who}`,
        ...told.flatMap(({ name, text, error }) => [`${name}:`, ...text.split('\n'), ...(error === '' ? [] : [error])]),
      ],
      data: {
        unprivileged: user.length > 0,
        nodes: told.map(({ name, ok, established, peers }) => ({ name, ok, established, peers })),
      },
    };
  },
};

function askCli({ layout, choice }: Cluster, node: string, user: readonly string[]): ReturnType<typeof run> {
  const command = [process.execPath, cliPath(choice.project), 'node', 'status'];
  return run([...user, ...command], { env: agentCliEnvironment(layout, node), cwd: '/' });
}

/** The way to become nobody; empty where nobody may not run this Node or read the project, as under /root. */
async function unprivileged({ choice }: Cluster): Promise<readonly string[]> {
  const { exitCode } = await run([...UNPRIVILEGED, process.execPath, cliPath(choice.project), 'version'], { cwd: '/' });
  return exitCode === 0 ? UNPRIVILEGED : [];
}
