import Boom from '@hapi/boom';
import type { z } from 'zod';
import { InvalidValueError } from '../model/invalid.ts';

/** The body as `schema` has it, or a 400 that names the field and the value. */
export function parseBody<T>(schema: z.ZodType<T>, payload: unknown): T {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  if (issue.path.length === 0 && issue.code !== 'unrecognized_keys') {
    if (payload === null || payload === undefined) throw Boom.badRequest('the body is missing');
    throw new InvalidValueError('body', payload, 'is not an object');
  }
  const field = issue.code === 'unrecognized_keys' ? issue.keys[0]! : issue.path.join('.');
  const value = (payload as Readonly<Record<string, unknown>>)[field];
  if (value === undefined || value === null) throw Boom.badRequest(`${field} is missing`);
  throw new InvalidValueError(
    field,
    value,
    issue.code === 'unrecognized_keys' ? 'is not a field of the body' : issue.message,
  );
}

/** Failures of the work itself are told as they are: a sentence is of no use to anyone if it becomes "internal error". */
export async function said<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InvalidValueError) throw Boom.badRequest(error.message);
    if (Boom.isBoom(error)) throw error;
    const boom = Boom.boomify(error instanceof Error ? error : new Error(String(error)), { statusCode: 500 });
    boom.output.payload.message = boom.message;
    throw boom;
  }
}
