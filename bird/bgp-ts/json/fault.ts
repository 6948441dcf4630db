import type { AttributeFault, ErrorCode } from '../error.ts';
import { remedies } from '../error.ts';
import { hex } from './address.ts';
import type { JsonCodec } from './codec.ts';
import { list, oneOf, optional, record, refused, text, u8 } from './codec.ts';

/** `[3, 5]`. */
const errorCode: JsonCodec<ErrorCode> = {
  to: ([code, subcode]) => [code, subcode],
  from: (json, at) => {
    const numbers = list(u8).from(json, at);
    const [code, subcode] = numbers;
    if (code === undefined || subcode === undefined || numbers.length > 2)
      throw refused(at, json, 'a code and a subcode');
    return [code, subcode];
  },
};

export const attributeFault = record<AttributeFault>({
  text,
  code: errorCode,
  data: hex(),
  remedy: oneOf(remedies),
  attribute: optional(u8),
});
