import { expect } from 'vitest';
import { InvalidResourceError, parseResource } from '../../../src/resources/index.ts';

/** What is said of a document: the message without the words around it, a line for each fault, or `accepted`. */
export function refusal(document: unknown): string {
  try {
    parseResource(document);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidResourceError);
    return (error as InvalidResourceError).faults.map(({ message }) => message).join('\n');
  }
  return 'accepted';
}
