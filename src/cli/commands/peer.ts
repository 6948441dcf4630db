import type { Command } from 'commander';
import type { PeerExplainReport, PeerReport } from '../../api/bgp-contract.ts';
import { addSocketOption, agentClient } from '../agent-option.ts';
import type { AgentOptions } from '../agent-option.ts';
import type { CliIo } from '../io.ts';
import { formatJson, outputOption } from '../output-option.ts';
import { formatPeerExplain } from '../bgp/peer-explain.ts';
import { formatPeer, formatPeers } from '../bgp/peer-report.ts';

type Options = AgentOptions & { readonly output: string };

const ADDRESS = 'of the peer: 10.0.0.2, 2001:db8::2, fe80::1%eth0';

const pathOf = (address: string): string => `/v1/bgp/peers/${encodeURIComponent(address)}`;

export function addPeerCommand(program: Command, io: CliIo): void {
  const peer = program.command('peer').description('looks at BGP peers, and steers them');
  addExplain(peer, io);
  addShow(peer, io);
  addReset(peer, io);
  addRefresh(peer, io);
}

function addExplain(peer: Command, io: CliIo): void {
  addSocketOption(peer.command('explain'))
    .argument('<address>', ADDRESS)
    .description('why the session is as it is: the verdict, what speaks for it, what to check next')
    .addOption(outputOption())
    .action(async (address: string, options: Options) => {
      const report = await agentClient(options, io).get<PeerExplainReport>(`${pathOf(address)}/explain`);
      io.stdout(options.output === 'json' ? formatJson(report) : formatPeerExplain(report, io.now()));
    });
}

function addShow(peer: Command, io: CliIo): void {
  addSocketOption(peer.command('show'))
    .argument('[address]', `${ADDRESS}; without it all peers, one line each`)
    .description('sessions, messages, prefixes and capabilities')
    .addOption(outputOption())
    .action(async (address: string | undefined, options: Options) => {
      const client = agentClient(options, io);
      if (address === undefined) {
        const peers = await client.get<readonly PeerReport[]>('/v1/bgp/peers');
        io.stdout(options.output === 'json' ? formatJson(peers) : formatPeers(peers));
        return;
      }
      const report = await client.get<PeerReport>(pathOf(address));
      io.stdout(options.output === 'json' ? formatJson(report) : formatPeer(report));
    });
}

function addReset(peer: Command, io: CliIo): void {
  addSocketOption(peer.command('reset'))
    .argument('<address>', ADDRESS)
    .description('ends the session with Cease / Administrative Reset; it comes back at once')
    .option('-m, --message <text>', 'told to the peer (RFC 9003)', 'reset by an operator')
    .action(async (address: string, options: AgentOptions & { readonly message: string }) => {
      await agentClient(options, io).post(`${pathOf(address)}/reset`, { message: options.message });
      io.stdout(`the session with ${address} was reset\n`);
    });
}

function addRefresh(peer: Command, io: CliIo): void {
  addSocketOption(peer.command('refresh'))
    .argument('<address>', ADDRESS)
    .description('asks the peer to tell everything again (RFC 2918); nothing flaps')
    .action(async (address: string, options: AgentOptions) => {
      const { families } = await agentClient(options, io).post<{ readonly families: readonly string[] }>(
        `${pathOf(address)}/refresh`,
        {},
      );
      io.stdout(
        families.length === 0
          ? `${address} cannot be asked: the session is not up, or the peer does not know ROUTE-REFRESH\n`
          : `${address} was asked for ${families.join(' and ')}\n`,
      );
    });
}
