/**
 * Two hosts with two ways to each other, as namespaces: `near` addresses on one wire, `far` ones behind a router. The
 * sockets are made in the namespaces and then used from the test's own process.
 */
import { openNamespace } from '../../felix/netlink/namespace.ts';
import type { Namespace } from '../../felix/netlink/namespace.ts';
import { procNetstat } from '../../bird/peer/proc-netstat.ts';
import type { TcpCounters } from '../../bird/peer/tcp-counters.ts';
import { tcpTransport } from '../../bird/peer/tcp.ts';
import type { CloseReason, Connection, Transport } from '../../bird/peer/transport.ts';
import { loadLibc } from '../../src/linux/libc.ts';
import type { IpFamily } from '../../src/model/ip.ts';
import { makeNetns, run } from './netns.ts';
import type { TestNetns } from './netns.ts';

export interface TcpHost {
  readonly netns: TestNetns;
  readonly transport: Transport;
  readonly near: Readonly<Record<IpFamily, string>>;
  readonly far: Readonly<Record<IpFamily, string>>;
  counters(): TcpCounters;
}

export class TcpLab {
  readonly a: TcpHost;
  readonly b: TcpHost;
  readonly #spaces: TestNetns[] = [];
  readonly #opened: Namespace[] = [];

  constructor(name: string) {
    try {
      const [a, b, router] = ['a', 'b', 'r'].map((host) => this.#make(`cts-${name}-${process.pid}-${host}`));
      this.#wire(a!, b!, router!);
      this.a = this.#host(a!, 1);
      this.b = this.#host(b!, 2);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    for (const namespace of this.#opened) namespace.close();
    for (const space of this.#spaces) space.remove();
  }

  #make(name: string): TestNetns {
    const space = makeNetns(name);
    this.#spaces.push(space);
    space.run('ip', 'link', 'set', 'lo', 'up');
    return space;
  }

  #wire(a: TestNetns, b: TestNetns, router: TestNetns): void {
    const link = (one: TestNetns, nameOne: string, ...[other, nameOther]: readonly [TestNetns, string]): void => {
      run(
        'ip',
        'link',
        'add',
        nameOne,
        'netns',
        one.name,
        'type',
        'veth',
        'peer',
        'name',
        nameOther,
        'netns',
        other.name,
      );
      one.run('ip', 'link', 'set', nameOne, 'up');
      other.run('ip', 'link', 'set', nameOther, 'up');
    };
    const address = (space: TestNetns, dev: string, ...texts: readonly string[]): void => {
      for (const text of texts)
        space.run('ip', 'address', 'add', text, 'dev', dev, ...(text.includes(':') ? ['nodad'] : []));
    };
    link(a, 'near', b, 'near');
    link(a, 'far', router, 'toa');
    link(b, 'far', router, 'tob');
    for (const [i, host] of [a, b].entries()) {
      const n = i + 1;
      address(host, 'near', `10.77.0.${n}/24`, `2001:db8:77::${n}/64`, `10.77.0.1${n}/24`);
      address(host, 'far', `10.77.${n}.2/24`, `2001:db8:77:${n}::2/64`);
      address(router, i === 0 ? 'toa' : 'tob', `10.77.${n}.1/24`, `2001:db8:77:${n}::1/64`);
      host.run('ip', 'route', 'add', `10.77.${3 - n}.0/24`, 'via', `10.77.${n}.1`);
      host.run('ip', 'route', 'add', `2001:db8:77:${3 - n}::/64`, 'via', `2001:db8:77:${n}::1`);
    }
    router.run('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
  }

  #host(netns: TestNetns, n: number): TcpHost {
    const namespace = openNamespace(loadLibc(), netns.path);
    this.#opened.push(namespace);
    return {
      netns,
      // Both make their socket before they wait for anything.
      transport: {
        connect: (target) => namespace.visit(() => tcpTransport.connect(target)),
        listen: (at, accept) => namespace.visit(() => tcpTransport.listen(at, accept)),
      },
      near: { 4: `10.77.0.${n}`, 6: `2001:db8:77::${n}` },
      far: { 4: `10.77.${n}.2`, 6: `2001:db8:77:${n}::2` },
      counters: () => {
        const counters = namespace.visit(procNetstat);
        if (counters === undefined) throw new Error('this kernel has no TcpExt counters');
        return counters;
      },
    };
  }
}

/** One end of a connection and what it heard. */
export class HeardEnd {
  readonly connection: Connection;
  opened = false;
  reason: CloseReason | undefined;
  text = '';

  constructor(connection: Connection) {
    this.connection = connection;
    connection.attach({
      opened: () => (this.opened = true),
      data: (octets) => (this.text += Buffer.from(octets).toString()),
      progress: () => undefined,
      closed: (reason) => (this.reason = reason),
    });
  }
}
