import type { RecordedSpec } from './spec.ts';

/** A value that is a list of strings of `octets` octets each, whose inside is not judged. */
export const octetStrings = (octets: number): Pick<RecordedSpec<readonly Uint8Array[]>, 'decode' | 'encode'> => ({
  decode: (value) => {
    value.multipleOf(octets);
    const strings: Uint8Array[] = [];
    while (value.left > 0) strings.push(value.take(octets));
    return strings;
  },
  encode: (out, strings) => {
    for (const string of strings) out.exactly(string, octets);
  },
});
