/** A process that follows an etcd as an agent does, and says once a second what that cost: `{"cpuMs": 1, "rss": 2, "stale": "..."}`. */
import { openEtcdStore } from '../../src/datastore/etcd.ts';
import { startSyncer } from '../../src/datastore/syncer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';

const ports = { clock: systemClock, random: systemRandom };
const [endpoint = ''] = process.argv.slice(2);
const syncer = startSyncer(await openEtcdStore({ endpoints: [endpoint] }, ports), '/calico/', {}, ports);
await syncer.synced();
setInterval(() => {
  const { user, system } = process.cpuUsage();
  const { stale } = syncer.view();
  console.log(JSON.stringify({ cpuMs: (user + system) / 1000, rss: process.memoryUsage.rss(), stale }));
}, 1_000);
