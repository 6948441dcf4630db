import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { step } from '../../bird/peer/fsm.ts';
import type { Event } from '../../bird/peer/fsm.ts';
import { EVENT_NUMBERS } from '../../bird/peer/vocabulary.ts';
import { EVENTS, local, STATES } from '../support/fsm-cases.ts';

/** A few events by name; many as the RFC counts them, and by name what it does not count. */
function labelOf(events: readonly Event['type'][]): string {
  if (events.length <= 6) return events.join('<br>');
  const numbers = events.map((type) => EVENT_NUMBERS[type] as number).filter((number) => number > 0);
  const ranges: (readonly [number, number])[] = [];
  for (const number of numbers.sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) ranges.splice(-1, 1, [last[0], number]);
    else ranges.push([number, number]);
  }
  const counted = ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
  return [`Events ${counted}`, ...events.filter((type) => EVENT_NUMBERS[type] === 0)].join('<br>');
}

/** Every change of state that any event can make, as Mermaid draws it. */
function diagram(): string {
  const edges = new Map<string, readonly Event['type'][]>();
  for (const state of Object.values(STATES)) {
    for (const event of Object.values(EVENTS)) {
      const [next] = step(state, event, local);
      if (next.name === state.name) continue;
      const edge = `${state.name} --> ${next.name}`;
      edges.set(edge, [...new Set([...(edges.get(edge) ?? []), event.type])]);
    }
  }
  const lines = [...edges].map(([edge, events]) => `  ${edge}: ${labelOf(events)}`);
  return ['stateDiagram-v2', '  [*] --> Idle', ...lines].join('\n');
}

test('the state diagram in bird/README.md is what fsm.ts does', () => {
  const readme = readFileSync(new URL('../../bird/README.md', import.meta.url), 'utf8');
  expect(/```mermaid\n([\s\S]*?)\n```/.exec(readme)?.[1]).toBe(diagram());
});
