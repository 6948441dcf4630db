/** A moment as Prometheus reads it. The library is loaded when it is asked for: an agent without metrics pays nothing for it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type Client from '@prometheus-io/client';
import type { Exposition } from '../api/metrics-server.ts';
import { FAMILIES } from './catalogue.ts';
import type { Family, Sample } from './family.ts';
import type { Moment } from './moment.ts';

/** So many samples are written in some milliseconds. */
const SAMPLES_PER_TURN = 500;

export type Expose = (moment: Moment) => Promise<Exposition>;

export async function loadExposition(): Promise<Expose> {
  // Written for `require`: in a bundle its names are those of the default export alone.
  const { default: client } = await import('@prometheus-io/client');
  return (moment) => expose(moment, client);
}

async function expose(moment: Moment, client: typeof Client): Promise<Exposition> {
  const texts: string[] = [];
  let written = 0;
  for (const family of FAMILIES) {
    const samples = family.read(moment);
    // The library would tell a family without samples as 0.
    if (samples.length === 0) continue;
    texts.push(await familyText(family, samples, client));
    written += samples.length;
    if (written < SAMPLES_PER_TURN) continue;
    written = 0;
    await nextTurn();
  }
  return { contentType: client.Registry.PROMETHEUS_CONTENT_TYPE, text: `${texts.join('\n')}\n` };
}

/** Made anew for each scrape: of a peer that is gone nothing is left that had to be forgotten. */
function familyText(
  { name, type, help, labels }: Family,
  samples: readonly Sample[],
  { Counter, Gauge, Registry }: typeof Client,
): Promise<string> {
  const registry = new Registry();
  const settings = { name, help, labelNames: labels, registers: [registry] };
  if (type === 'counter') {
    const metric = new Counter<string>(settings);
    for (const { labels: of = {}, value } of samples) metric.inc(of, value);
  } else {
    const metric = new Gauge<string>(settings);
    for (const { labels: of = {}, value } of samples) metric.set(of, value);
  }
  return registry.getSingleMetricAsString(name);
}
