/** What the main thread and the BFD thread say to each other. Plain data: it is cloned. */
import type { BfdChange, BfdSessionSettings, BfdSessionView } from './contract.ts';
import type { DiscardReason } from './demultiplex.ts';

/** What the thread is born with. */
export interface ThreadOrder {
  /** An eventfd that is written to after each message: the thread sleeps in poll(2) and hears nothing else. */
  readonly wakeFd: number;
}

export type ToThread =
  | { readonly do: 'setSessions'; readonly sessions: readonly ThreadSession[] }
  /** Say AdminDown to all, and end. */
  | { readonly do: 'close' }
  /** The process ends now: end without a word. */
  | { readonly do: 'halt' };

/** `life`: a session that was taken away and came again is another one, and what the first still said is not believed. */
export interface ThreadSession {
  readonly life: number;
  readonly settings: BfdSessionSettings;
}

export interface LiveView {
  readonly key: string;
  readonly life: number;
  readonly view: BfdSessionView;
}

export type FromThread =
  | { readonly type: 'change'; readonly change: BfdChange; readonly session: LiveView }
  | {
      readonly type: 'views';
      readonly sessions: readonly LiveView[];
      readonly strangers: Readonly<Partial<Record<DiscardReason, number>>>;
    };
