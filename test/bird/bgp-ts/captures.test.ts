import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { CodecContext, Message, Open } from '../../../bird/bgp-ts/index.ts';
import { decodeMessage, encodeMessage, Framer, negotiatedContexts } from '../../../bird/bgp-ts/index.ts';
import { daemons } from '../../capture/daemons/index.ts';
import type { CapturedSession, SessionText } from '../../capture/fixture.ts';
import { contextOf, FIXTURES, readFixture } from '../../capture/fixture.ts';
import { inWords } from '../../capture/in-words.ts';
import { expectedMeaning, meaning } from '../../capture/meaning.ts';
import { bytes, hex } from '../../support/bgp-bytes.ts';

/** What real daemons sent, and what their configuration says that it means (test/capture makes these files). */
const fixtures = readdirSync(FIXTURES)
  .filter((name) => name.endsWith('.json'))
  .map((name) => readFixture(name.replace('.json', '')));

const sessions = fixtures.flatMap(({ daemon, sessions: list }) =>
  list.map((session) => [`${daemon} ${session.name}`, session] as const),
);

describe.each(sessions)('%s', (_, session) => {
  const context = contextOf(session.context);
  const decodedAll = (): readonly Message[] => session.messages.map((message) => decoded(message, context));

  test('in pieces of odd sizes it is the same messages', () => {
    for (const size of [1, 7, 19, 23, 1000]) expect(framed(session, size)).toEqual(session.messages);
  });

  test('begins with an OPEN and a KEEPALIVE, and nothing in it is malformed', () => {
    const messages = decodedAll();
    expect(messages.map(({ type }) => type)).toEqual(['open', 'keepalive', ...messages.slice(2).map(() => 'update')]);
    for (const message of messages) {
      if (message.type === 'update') expect(message).toMatchObject({ faults: [] });
    }
  });

  test('the two OPENs settle the context that the recorder found', () => {
    const messages = decodedAll();
    const ours = decoded(session.sent, context) as Open;
    expect(negotiatedContexts(ours, messages[0] as Open).receive).toEqual(context);
  });

  test('says what the configuration says', () => {
    const messages = decodedAll();
    expect(meaning(messages, session)).toEqual(expectedMeaning(session));
  });

  test('no two paths of a prefix have the same identifier', () => {
    const messages = decodedAll();
    const said = messages.flatMap((message) => (message.type === 'update' ? inWords(message) : []));
    const announced = said.flatMap((entry) =>
      'announce' in entry ? [JSON.stringify([entry.family, entry.announce])] : [],
    );
    expect(new Set(announced).size).toBe(announced.length);
  });

  test('encoded again it is the same bytes', () => {
    expect(decodedAll().map((message) => encoded(message, context))).toEqual(session.messages);
  });
});

test.each(daemons.map((daemon) => [daemon.name, daemon] as const))(
  '%s: the files are of the sessions as they are',
  (name, daemon) => {
    const ofFile = fixtures.find((each) => each.daemon === name)?.sessions.map(text);
    expect(ofFile).toEqual(daemon.sessions.map(text));
  },
);

const text = ({ name, config, before, after, expect: wanted }: SessionText): SessionText => ({
  ...{ name, config, expect: wanted },
  ...(before !== undefined && { before }),
  ...(after !== undefined && { after }),
});

test('there is a fixture of every daemon', () => {
  expect(fixtures.map(({ daemon }) => daemon).sort()).toEqual(['bird', 'exabgp', 'frr', 'gobgp', 'openbgpd']);
  for (const { version, sessions: list } of fixtures)
    expect([version, list.length > 3]).toEqual([expect.stringMatching(/\d/), true]);
});

function decoded(message: string, context: CodecContext): Message {
  const result = decodeMessage(bytes(message), context);
  if (result.kind === 'fault') throw new Error(`${result.fault.text}: ${message}`);
  return result.message;
}

const encoded = (message: Message, context: CodecContext): string => hex(encodeMessage(message, context));

function framed({ messages }: CapturedSession, size: number): readonly string[] {
  const stream = bytes(...messages);
  const framer = new Framer(65535);
  const frames: string[] = [];
  for (let at = 0; at < stream.length; at += size) {
    framer.push(stream.subarray(at, at + size));
    for (let next = framer.next(); next !== undefined; next = framer.next()) frames.push(hex(next));
  }
  return frames;
}
