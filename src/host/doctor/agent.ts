/** What the agent itself says is wrong. */
import type { NodeStatus, SpeakerStatus } from '../../api/contract.ts';
import type { Finding } from './finding.ts';
import { checkOf } from './finding.ts';
import type { HostFacts } from './host-facts.ts';

const check = checkOf('agent');

export function checkAgent({ agent }: Pick<HostFacts, 'agent'>): readonly Finding[] {
  if ('absent' in agent) {
    if (agent.mayBeThere === true) return [check.unknown('could not be asked', { todo: agent.absent })];
    return [
      check.warning('none answers', {
        why: 'nobody keeps the routes of this node: they are as the last agent left them',
        todo: 'start calico-node-ts; where it runs, tell the socket: CALICO_RUN_DIR or --socket',
        evidence: [agent.absent],
      }),
    ];
  }
  const troubles = isNode(agent)
    ? [...partsOf(agent), ...refusedRoutes(agent), ...fightsOf(agent), ...natOf(agent)]
    : [];
  if (troubles.length > 0) return troubles;
  return [
    check.ok(
      isNode(agent) ? `runs, and is well (process ${agent.pid})` : `a speaker alone runs (process ${agent.pid})`,
    ),
  ];
}

/** A speaker alone has no dataplane. */
const isNode = (status: NodeStatus | SpeakerStatus): status is NodeStatus => 'dataplane' in status;

const partsOf = ({ health }: NodeStatus): readonly Finding[] =>
  (health?.reporters ?? [])
    .filter(({ live, ready }) => !live || !ready)
    .map(({ name, live, detail }) => {
      const words = live ? 'is not ready' : 'is not live';
      return check[live ? 'warning' : 'problem'](`its ${name} ${words}: ${detail}`, {
        why: live
          ? 'it does not do all of its work yet, or not now'
          : 'it does its work no more; routes stay as they are',
        todo: live ? 'look again in a minute; its log says more' : 'restart it: that costs nothing, for routes stay',
      });
    });

const refusedRoutes = ({ dataplane: { failed } }: NodeStatus): readonly Finding[] =>
  failed === 0
    ? []
    : [
        check.problem(`the kernel refuses ${failed} of its routes`, {
          why: 'packets to them are lost, or take another way',
          todo: 'calicoctl-ts routes: the failed ones have the kernel’s sentence',
        }),
      ];

const fightsOf = ({ dataplane: { fights = [] } }: NodeStatus): readonly Finding[] =>
  fights.map((fight) =>
    check.warning(`somebody undoes what it does, again and again: ${fight}`, {
      why: 'packets are lost each time until it is put right',
      todo: 'end that program, or have it leave our interfaces, routes and tables alone',
    }),
  );

const natOf = ({ nat = [] }: NodeStatus): readonly Finding[] =>
  nat
    .filter(({ state }) => state === 'failed')
    .map(({ subject, error }) =>
      check.problem(`no NAT for ${subject}`, {
        why: 'what leaves keeps an address to which the world outside knows no way back',
        todo: `${error ?? 'the log of the agent says why'}; or natOutgoing: false of the pool`,
      }),
    );
