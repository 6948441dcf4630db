import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { step } from '../../bird/peer/fsm.ts';
import { EVENTS, local, STATES } from '../support/fsm-cases.ts';

/** Every change of state that any event can make, as Mermaid draws it. */
function diagram(): string {
  const edges = new Map<string, string[]>();
  for (const state of Object.values(STATES)) {
    for (const event of Object.values(EVENTS)) {
      const [next] = step(state, event, local);
      if (next.name === state.name) continue;
      const edge = `${state.name} --> ${next.name}`;
      edges.set(edge, [...(edges.get(edge) ?? []), event.type]);
    }
  }
  const lines = [...edges].map(([edge, events]) => `  ${edge}: ${events.join('<br>')}`);
  return ['stateDiagram-v2', '  [*] --> Idle', ...lines].join('\n');
}

test('the state diagram in bird/README.md is what fsm.ts does', () => {
  const readme = readFileSync(new URL('../../bird/README.md', import.meta.url), 'utf8');
  expect(/```mermaid\n([\s\S]*?)\n```/.exec(readme)?.[1]).toBe(diagram());
});
