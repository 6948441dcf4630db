import type { Bfd, BfdChange, BfdSessionSettings, BfdSessionView } from '../../bird/bfd/index.ts';
import { nameOf, sessionKey } from '../../bird/bfd/name.ts';
import { sessionsByKey } from '../../bird/bfd/settings.ts';

/** BFD without packets: a session is Up and Down when the test says so. Holds the rules of the real one. */
export class FakeBfd implements Bfd {
  readonly #listeners = new Set<(change: BfdChange) => void>();
  #settings: ReadonlyMap<string, BfdSessionSettings> = new Map();
  readonly #views = new Map<string, BfdSessionView>();
  isClosed = false;

  /** What was asked for last. */
  get wanted(): readonly BfdSessionSettings[] {
    return [...this.#settings.values()];
  }

  setSessions(sessions: readonly BfdSessionSettings[]): void {
    this.#settings = sessionsByKey(sessions);
    for (const key of [...this.#views.keys()]) if (!this.#settings.has(key)) this.#views.delete(key);
    for (const [key, settings] of this.#settings) if (!this.#views.has(key)) this.#views.set(key, newView(settings));
  }

  onChange(listener: (change: BfdChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  sessions(): readonly BfdSessionView[] {
    return [...this.#views.values()];
  }

  strangers(): ReturnType<Bfd['strangers']> {
    return {};
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.setSessions([]);
    return Promise.resolve();
  }

  /** `key`: `10.0.0.2`, `fe80::1%eth0`, `10.9.9.9 multihop`. Throws where no such session is wanted. */
  up(key: string, { isPeerIndependent = false } = {}): void {
    const view = this.#view(key);
    this.#views.set(key, { ...view, state: 'Up', remoteState: 'Up', upSince: 0 });
    this.#tell({
      ...nameOf(view),
      state: 'Up',
      diagnostic: 'the session is up',
      wasUp: false,
      isPathFailure: false,
      isPeerIndependent,
    });
  }

  /** Only a session that is Up goes down. The peer's operator took it away: `isPathFailure: false`. */
  down(
    key: string,
    diagnostic = 'nothing heard for 900 ms (3 x 300 ms)',
    { isPathFailure = true, isPeerIndependent = false } = {},
  ): void {
    const view = this.#view(key);
    const { upSince: ended, ...rest } = view;
    if (ended === undefined) throw new Error(`the BFD session with ${key} is not up`);
    this.#views.set(key, { ...rest, state: 'Down', flaps: view.flaps + 1, lastDiagnostic: diagnostic });
    this.#tell({ ...nameOf(view), state: 'Down', diagnostic, wasUp: true, isPathFailure, isPeerIndependent });
  }

  #view(key: string): BfdSessionView {
    const view = this.#views.get(key);
    if (view === undefined) throw new Error(`no BFD session with ${key} is wanted`);
    return view;
  }

  #tell(change: BfdChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

const newView = (settings: BfdSessionSettings): BfdSessionView => ({
  ...nameOf(settings),
  state: 'Down',
  localDiscriminator: sessionKey(settings).length,
  transmitMs: settings.transmitMs,
  flaps: 0,
  packets: { received: 0, sent: 0, dropped: {} },
});
