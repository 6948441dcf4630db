/** A runtime's calls over an agent's socket, as the plugin passes them on. */
import { request } from 'node:http';
import { environmentFor, networkConfiguration } from './cni-calls.ts';
import type { CniReply, Sandbox } from './cni-calls.ts';

export interface SocketReply {
  readonly status: number | undefined;
  readonly cniError: unknown;
  readonly body: string;
}

/** `headers` beside those that each call has; rejects where the connection is cut. */
export const postCni = (
  socketPath: string,
  headers: Readonly<Record<string, string>>,
  stdin: string,
): Promise<SocketReply> =>
  new Promise((resolve, reject) => {
    const all = { Host: 'calico-ts', 'Content-Type': 'application/json', 'CNI-Protocol': '1', Connection: 'close' };
    const at = { socketPath, method: 'POST', path: '/v1/cni', headers: { ...all, ...headers } };
    const outgoing = request(at, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, cniError: response.headers['cni-error'], body }));
    });
    outgoing.on('error', reject);
    outgoing.end(stdin);
  });

export async function callSocket(
  socketPath: string,
  command: string,
  { sandbox, fields }: { readonly sandbox?: Sandbox; readonly fields?: object } = {},
): Promise<CniReply> {
  const { containerId, netns, ifName, args } = environmentFor(command, sandbox);
  const variables = { Command: command, ContainerID: containerId, NetNS: netns, IfName: ifName, Args: args };
  const headers = Object.entries(variables).map(([name, value = '']) => [`CNI-${name}`, encodeURIComponent(value)]);
  const stdin = JSON.stringify(networkConfiguration(fields));
  const { status, cniError, body } = await postCni(
    socketPath,
    Object.fromEntries(headers) as Record<string, string>,
    stdin,
  );
  if (status !== 200 && cniError !== '1') throw new Error(`the agent answers ${status}: ${body}`);
  const said = body === '' ? undefined : (JSON.parse(body) as Readonly<Record<string, unknown>>);
  return { code: status === 200 ? 0 : Number(said?.['code']), said };
}
