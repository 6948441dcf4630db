import type { Problem } from './contract.ts';
import { http } from './node-http.ts';

/** The agent did not do what was asked: one sentence for people. `statusCode` is absent where nobody answered. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly statusCode: number | undefined;
  /** Nobody listens: there is no agent. */
  readonly isAbsent: boolean;

  constructor(message: string, statusCode?: number, isAbsent = false) {
    super(message);
    this.statusCode = statusCode;
    this.isAbsent = isAbsent;
  }
}

export interface AgentClient {
  get<T>(path: string): Promise<T>;
  /** `patienceMs`: how much longer than usual the answer may take. */
  post<T>(path: string, body: object, patienceMs?: number): Promise<T>;
  delete<T>(path: string): Promise<T>;
}

/** Speaks HTTP to the agent over its unix socket; an answer that is not a success becomes an AgentError. */
export function createAgentClient(socketPath: string, timeoutMs = 30_000): AgentClient {
  const call = async <T>(
    method: string,
    path: string,
    { body, patienceMs = 0 }: { readonly body?: object; readonly patienceMs?: number | undefined } = {},
  ): Promise<T> => {
    const patience = timeoutMs + patienceMs;
    const { statusCode, text } = await exchange({ socketPath, timeoutMs: patience, method, path, body });
    const answer = text === '' ? undefined : (JSON.parse(text) as unknown);
    if (statusCode >= 400) throw new AgentError((answer as Problem).message, statusCode);
    return answer as T;
  };
  return {
    get: (path) => call('GET', path),
    post: (path, body, patienceMs) => call('POST', path, { body, patienceMs }),
    delete: (path) => call('DELETE', path),
  };
}

interface Exchange {
  readonly socketPath: string;
  readonly timeoutMs: number;
  readonly method: string;
  readonly path: string;
  readonly body: object | undefined;
}

function exchange({
  socketPath,
  timeoutMs,
  method,
  path,
  body,
}: Exchange): Promise<{ statusCode: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const outgoing = http.request({ socketPath, method, path, headers, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => reject(unreachableAgent(socketPath, error)));
      response.on('end', () =>
        resolve({ statusCode: response.statusCode ?? 500, text: Buffer.concat(chunks).toString() }),
      );
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    outgoing.on('error', (error) => reject(unreachableAgent(socketPath, error)));
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function unreachableAgent(socketPath: string, error: NodeJS.ErrnoException): AgentError {
  if (error.code === 'EACCES') {
    return new AgentError(
      `permission denied on ${socketPath}: be root or in its group, or let the agent open it (CALICO_SOCKET_MODE)`,
    );
  }
  if (error.code === 'ENOENT')
    return new AgentError(`calico-node-ts is not running here: there is no ${socketPath}`, undefined, true);
  if (error.code === 'ECONNREFUSED')
    return new AgentError(`calico-node-ts is not running: nobody listens on ${socketPath}`, undefined, true);
  return new AgentError(`calico-node-ts does not answer on ${socketPath}: ${error.message}`);
}
