/** What `JSON.parse` gives. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What is wrong in JSON that somebody else wrote, and where: `attributes.med: -1 is not a whole number from 0 to 4294967295`. */
class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** One kind of value as JSON, both ways. `from` checks everything and throws JsonError with the path `at`. */
export interface JsonCodec<T> {
  to(value: T): Json;
  from(json: Json, at: string): T;
}

/** A field of a record that may be absent. */
export interface OptionalField<T> {
  readonly optional: JsonCodec<T>;
}

/** One codec per field; a field without one does not compile, nor a codec without a field. */
export type Fields<T> = {
  readonly [K in keyof T]-?: undefined extends T[K] ? OptionalField<Exclude<T[K], undefined>> : JsonCodec<T[K]>;
};

export const optional = <T>(codec: JsonCodec<T>): OptionalField<T> => ({ optional: codec });

/** Whole numbers from `min` to `max`. */
export function integer(min: number, max: number): JsonCodec<number> {
  return {
    to: (value) => value,
    from: (json, at) => {
      if (typeof json === 'number' && Number.isInteger(json) && json >= min && json <= max) return json + 0; // -0 is JSON too, and no number of ours
      throw refused(at, json, `a whole number from ${min} to ${max}`);
    },
  };
}

export const u8 = integer(0, 0xff);
export const u16 = integer(0, 0xffff);
export const u32 = integer(0, 0xffff_ffff);

/** Up to 64 bits: a number where JSON's are exact, else its decimal digits as text. */
export const u64: JsonCodec<bigint> = {
  to: (value) => (value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString()),
  from: (json, at) => {
    const isExact = typeof json === 'number' && Number.isSafeInteger(json) && json >= 0;
    if (isExact || (typeof json === 'string' && /^\d{1,20}$/.test(json))) {
      const value = BigInt(json);
      if (value < 1n << 64n) return value;
    }
    throw refused(at, json, 'a whole number below 2^64');
  },
};

export const boolean: JsonCodec<boolean> = {
  to: (value) => value,
  from: (json, at) => {
    if (typeof json === 'boolean') return json;
    throw refused(at, json, 'true or false');
  },
};

/** Only `true`: the field is there or it is not. */
export const flag: JsonCodec<true> = {
  to: () => true,
  from: (json, at) => {
    if (json === true) return true;
    throw refused(at, json, 'true');
  },
};

export const text: JsonCodec<string> = {
  to: (value) => value,
  from: (json, at) => {
    if (typeof json === 'string') return json;
    throw refused(at, json, 'text');
  },
};

/** One of these words. */
export function oneOf<T extends string>(words: readonly T[]): JsonCodec<T> {
  return {
    to: (value) => value,
    from: (json, at) => {
      const word = words.find((each) => each === json);
      if (word !== undefined) return word;
      throw refused(at, json, `one of ${words.join(', ')}`);
    },
  };
}

/** A value that is written as text; `parse` gives undefined for what it does not take, which is then no `what`. */
export function written<T>(
  what: string,
  format: (value: T) => string,
  parse: (value: string) => T | undefined,
): JsonCodec<T> {
  return {
    to: format,
    from: (json, at) => {
      const value = typeof json === 'string' ? parse(json) : undefined;
      if (value !== undefined) return value;
      throw refused(at, json, what);
    },
  };
}

export function list<T>(each: JsonCodec<T>): JsonCodec<readonly T[]> {
  return {
    to: (values) => values.map((value) => each.to(value)),
    from: (json, at) => {
      if (!isList(json)) throw refused(at, json, 'a list');
      return json.map((entry, i) => each.from(entry, `${at}[${i}]`));
    },
  };
}

/** An object with these fields and no others; absent optional ones are left out on both sides. */
export function record<T extends object>(fields: Fields<T>): JsonCodec<T> {
  const entries = Object.entries<JsonCodec<unknown> | OptionalField<unknown>>(fields);
  return {
    to: (value) => {
      const json: Record<string, Json> = {};
      for (const [name, field] of entries) {
        const content = (value as Readonly<Record<string, unknown>>)[name];
        if (content !== undefined) json[name] = codecOf(field).to(content);
      }
      return json;
    },
    from: (json, at) => {
      const object = objectOf(json, at);
      refuseOthers(Object.keys(object), Object.keys(fields), at);
      const value: Record<string, unknown> = {};
      for (const [name, field] of entries) {
        const content = Object.hasOwn(object, name) ? object[name] : undefined;
        if (content !== undefined) value[name] = codecOf(field).from(content, inside(at, name));
        else if (!('optional' in field)) throw new JsonError(`${inside(at, name)}: is missing`);
      }
      return value as T;
    },
  };
}

/** A union that the text in `tag` tells apart, a codec per variant. The tag itself stands in each variant's fields. */
export function tagged<T extends object>(
  tag: keyof T & string,
  variants: Readonly<Record<string, JsonCodec<unknown>>>,
): JsonCodec<T> {
  const names = oneOf(Object.keys(variants));
  const variant = (name: string): JsonCodec<T> => variants[name] as JsonCodec<T>;
  return {
    to: (value) => variant(String(value[tag])).to(value),
    from: (json, at) => {
      const object = objectOf(json, at);
      const name = Object.hasOwn(object, tag) ? object[tag] : undefined;
      if (name === undefined) throw new JsonError(`${inside(at, tag)}: is missing`);
      return variant(names.from(name, inside(at, tag))).from(json, at);
    },
  };
}

/** Always this word: the tag of a variant. */
export const constant = <T extends string>(word: T): JsonCodec<T> => oneOf([word]);

/** The value, or what is wrong with it in one clause that names field and value. Never throws. */
export type JsonResult<T> =
  { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'invalid'; readonly text: string };

export function fromJson<T>(codec: JsonCodec<T>, json: unknown): JsonResult<T> {
  try {
    return { kind: 'ok', value: codec.from(json as Json, '') };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { kind: 'invalid', text: error.message };
  }
}

/** The error for `json`, which is not `wanted`. It may be anything, as deep as it likes. */
export const refused = (at: string, json: unknown, wanted: string): JsonError =>
  new JsonError(`${at === '' ? 'the message' : at}: ${shown(json)} is not ${wanted}`);

const MAX_SHOWN = 60;

function shown(json: unknown): string {
  if (json === undefined) return 'nothing';
  if (typeof json === 'string') {
    return JSON.stringify(json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN - 3)}...` : json);
  }
  if (json === null || typeof json === 'number' || typeof json === 'boolean') return String(json);
  return Array.isArray(json) ? 'a list' : typeof json === 'object' ? 'an object' : `a ${typeof json}`;
}

const codecOf = (field: JsonCodec<unknown> | OptionalField<unknown>): JsonCodec<unknown> =>
  'optional' in field ? field.optional : field;

const inside = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`);

const isList = (json: Json): json is readonly Json[] => Array.isArray(json);

function objectOf(json: Json, at: string): Readonly<Record<string, Json>> {
  if (typeof json !== 'object' || json === null || isList(json)) throw refused(at, json, 'an object');
  return json;
}

function refuseOthers(names: readonly string[], known: readonly string[], at: string): void {
  const other = names.find((name) => !known.includes(name));
  if (other !== undefined) throw new JsonError(`${inside(at, other)}: no such field, only ${known.join(', ')}`);
}
