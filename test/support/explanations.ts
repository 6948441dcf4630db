/** Scenes of a session that is down, and what is made of them. */
import type { KernelDrops, PeerExplanation } from '../../bird/explain/finding.ts';
import { explainPeer } from '../../bird/explain/peer.ts';
import type { PeerIncident, PeerView } from '../../bird/view.ts';
import { peerSettings } from './bgp.ts';
import type { PeerText } from './bgp.ts';

export const NOW = 1_000_000;
const NO_DROPS: KernelDrops = { wrongSignature: 0, missingSignature: 0, unexpectedSignature: 0, lowTtl: 0 };
const NO_MESSAGES = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0 };

export interface Scene extends Partial<Omit<PeerView, 'settings'>> {
  readonly settings?: Partial<PeerText>;
  readonly drops?: Partial<KernelDrops>;
  readonly othersDown?: number;
  readonly refusedPassword?: string;
}

/** 10.0.0.2, in Active for five seconds, and we dialled once. */
export function explained({ settings, drops, othersDown = 0, refusedPassword, ...changes }: Scene): PeerExplanation {
  const view: PeerView = {
    settings: peerSettings({ address: '10.0.0.2', errorWaitSeconds: [5, 30], ...settings }),
    state: 'Active',
    since: NOW - 5000,
    received: 0,
    accepted: 0,
    advertised: 0,
    prefixes: [],
    flaps: 0,
    incidents: [],
    reach: { dialled: 1, connected: 0, incoming: 0, hasSeenOpen: false },
    messages: { sent: NO_MESSAGES, received: NO_MESSAGES },
    ...changes,
  };
  return explainPeer({
    view,
    now: NOW,
    drops: { ...NO_DROPS, ...drops },
    othersDown,
    ...(refusedPassword !== undefined && { refusedPassword }),
  });
}

/** Four seconds ago. */
export const incident = (kind: PeerIncident['kind'], text: string, more: Partial<PeerIncident> = {}): PeerIncident => ({
  at: NOW - 4000,
  kind,
  text,
  isFlap: false,
  ...more,
});

/** `2/2`, and its data in hex. */
export function notified(direction: 'sent' | 'received', error: string, data = ''): PeerIncident {
  const [code = 0, subcode = 0] = error.split('/').map(Number);
  return incident(`notification ${direction}`, 'the text', { notification: { code, subcode, name: 'its name', data } });
}
