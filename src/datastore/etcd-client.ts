import { PassThrough } from 'node:stream';
import { connect, rootCertificates } from 'node:tls';
import type { CallOptionsFactory, IOptions } from 'etcd3';
import { Etcd3 } from 'etcd3';
import type { Clock } from '../runtime/clock.ts';
import type { TlsMaterial } from './etcd-tls.ts';

export interface EtcdClientSettings {
  readonly endpoint: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tls: TlsMaterial;
  /** No call takes longer. */
  readonly attemptMs: number;
}

type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>;

/** An etcd3 client of one member, with etcd3's own repeating switched off: whether a call may be made again is ours to know. */
export function createEtcdClient(settings: EtcdClientSettings, clock: Clock): Etcd3 {
  const { endpoint, username, password, tls, attemptMs } = settings;
  const credentials = endpoint.startsWith('https:') ? tlsCredentials(tls) : undefined;
  if (credentials !== undefined) warnNobodyOfAddresses();
  const defaultCallOptions: CallOptionsFactory = ({ isStream }) =>
    isStream
      ? { interceptors: [requireLeader] }
      : { interceptors: [requireLeader], deadline: new Date(clock.wallTime() + attemptMs) };
  return new Etcd3({
    hosts: [endpoint],
    ...(credentials && { credentials }),
    ...(username !== undefined && { auth: { username, password: password ?? '' } }),
    defaultCallOptions,
    grpcOptions: {
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 5_000,
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 2_000,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': 256 << 20,
    },
    // etcd3's defaults repeat a transaction that may have been applied, and stop asking for five seconds after three failures.
    faultHandling: { global: once(), host: once },
  });
}

type CallOptions = Exclude<CallOptionsFactory, (context: never) => unknown>;
type Interceptor = NonNullable<CallOptions['interceptors']>[number];

/**
 * A member that lost the others answers a watch for ever, and tells it nothing: etcd's `hasleader` has it say `no leader` instead.
 * etcd3 takes no metadata for a call, so it is put in where the call starts.
 */
const requireLeader: Interceptor = (options, nextCall) => {
  const call = nextCall(options);
  const start = call.start.bind(call);
  call.start = (metadata, listener) => {
    const own = metadata.clone();
    own.set('hasleader', 'true');
    start(own, listener);
  };
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- gRPC names a class and calls its interface alone
  return call as ReturnType<Interceptor>;
};

/**
 * gRPC gives TLS the host of an endpoint as its server name, an IP address too, of which Node warns once in a process: on the
 * terminal of whoever runs the CLI. The certificate is checked against the address all the same. So the one warning is had here.
 */
function warnNobodyOfAddresses(): void {
  const before = process.noDeprecation ?? false;
  process.noDeprecation = true;
  connect({ socket: new PassThrough(), servername: '127.0.0.1' })
    .on('error', () => undefined)
    .destroy();
  process.noDeprecation = before;
}

function tlsCredentials({ ca, cert, key }: TlsMaterial): NonNullable<IOptions['credentials']> {
  // etcd3 wants the authorities named; without any they are those that Node trusts.
  const rootCertificate = Buffer.from(ca ?? rootCertificates.join('\n'));
  if (cert === undefined || key === undefined) return { rootCertificate };
  return { rootCertificate, certChain: Buffer.from(cert), privateKey: Buffer.from(key) };
}

function once(): Policy {
  const policy: Pick<Policy, 'execute' | 'onSuccess' | 'onFailure'> = {
    onSuccess: () => ({ dispose: () => undefined }),
    onFailure: () => ({ dispose: () => undefined }),
    execute: async (work, signal = new AbortController().signal) => work({ signal }),
  };
  return policy as Policy;
}
