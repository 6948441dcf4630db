import type { Command } from 'commander';
import type { PeerExplainReport } from '../../api/bgp-contract.ts';
import { addSocketOption, agentClient } from '../agent-option.ts';
import type { AgentOptions } from '../agent-option.ts';
import type { CliIo } from '../io.ts';
import { formatJson, outputOption } from '../output-option.ts';
import { formatPeerExplain } from '../peer-explain.ts';

export function addPeerCommand(program: Command, io: CliIo): void {
  const peer = program.command('peer').description('asks about one BGP peer');
  addSocketOption(peer.command('explain'))
    .argument('<address>', 'of the peer: 10.0.0.2, 2001:db8::2, fe80::1%eth0')
    .description('why the session is as it is: the verdict, what speaks for it, what to check next')
    .addOption(outputOption())
    .action(async (address: string, options: AgentOptions & { readonly output: string }) => {
      const path = `/v1/bgp/peers/${encodeURIComponent(address)}/explain`;
      const report = await agentClient(options, io).get<PeerExplainReport>(path);
      io.stdout(options.output === 'json' ? formatJson(report) : formatPeerExplain(report));
    });
}
