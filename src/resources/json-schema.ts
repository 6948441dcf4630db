import { z } from 'zod';
import { KINDS, kindTable } from './table.ts';

/**
 * What people write, for editors and for whoever checks a file elsewhere. JSON Schema 2020-12: a document of any kind, and
 * each kind in `$defs` under its name. What one field says about another is left to `parseResource`.
 */
export const resourceSchema = (): object => ({
  ...z.toJSONSchema(z.union(KINDS.map((kind) => kindTable[kind].schema.meta({ id: kind }))), { io: 'input' }),
  title: 'A resource of Calico, as calico-ts takes it',
});
