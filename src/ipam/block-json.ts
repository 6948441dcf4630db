import { InvalidValueError } from '../model/invalid.ts';
import { formatPrefix, parsePrefix } from '../model/ip.ts';
import type { Json } from '../datastore/store.ts';
import type { AllocationAttributes, Block } from './block.ts';
import { blockOrdinals } from './block.ts';

/** A block under Calico's JSON keys. */
export function blockToJson(block: Block): Json {
  return {
    cidr: formatPrefix(block.prefix),
    affinity: block.affinity,
    ...(block.affinityClaimTime !== null && { affinity_claim_time: block.affinityClaimTime }),
    allocations: block.allocations,
    unallocated: block.unallocated,
    attributes: block.attributes.map(attributesToJson),
    sequenceNumber: block.sequenceNumber,
    sequenceNumberForAllocation: Object.fromEntries(
      [...block.sequenceNumberForAllocation].map(([ordinal, sequence]) => [String(ordinal), sequence]),
    ),
    deleted: block.deleted,
  };
}

const attributesToJson = ({ handleId, secondary, alternate, releasedAt }: AllocationAttributes): Json => ({
  handle_id: handleId,
  secondary,
  ...(alternate !== undefined && { alternateOwnerAttrs: alternate }),
  ...(releasedAt !== undefined && { releasedAt }),
});

/** Throws InvalidValueError with the key and the field: a block that we misread would hand out addresses twice. */
export function blockFromJson(json: Json, key: string): Block {
  const fields = recordOf(json, key);
  const prefix = parsePrefix(textOrNull(fields['cidr']) ?? '', `${key} cidr`);
  const attributes = listOf(fields['attributes'], `${key} attributes`).map((one) => attributesFromJson(one, key));
  const allocations = listOf(fields['allocations'], `${key} allocations`).map((index) => {
    if (index === null || (typeof index === 'number' && attributes[index] !== undefined)) return index;
    throw new InvalidValueError(`${key} allocations`, index, 'is no index into the attributes');
  });
  if (allocations.length !== blockOrdinals(prefix)) {
    throw new InvalidValueError(`${key} allocations`, allocations.length, `are not ${blockOrdinals(prefix)}`);
  }
  const unallocated = listOf(fields['unallocated'], `${key} unallocated`).map((ordinal) => {
    if (typeof ordinal === 'number' && allocations[ordinal] === null) return ordinal;
    throw new InvalidValueError(`${key} unallocated`, ordinal, 'is no free place of the block');
  });
  if (new Set(unallocated).size !== unallocated.length) {
    throw new InvalidValueError(`${key} unallocated`, unallocated, 'has a place twice');
  }
  const sequences = Object.entries(recordOf(fields['sequenceNumberForAllocation'] ?? {}, key));
  return {
    prefix,
    affinity: textOrNull(fields['affinity']),
    affinityClaimTime: textOrNull(fields['affinity_claim_time']),
    allocations,
    unallocated,
    attributes,
    sequenceNumber: Number(fields['sequenceNumber'] ?? 0),
    sequenceNumberForAllocation: new Map(sequences.map(([ordinal, sequence]) => [Number(ordinal), Number(sequence)])),
    deleted: fields['deleted'] === true,
  };
}

function attributesFromJson(json: Json, key: string): AllocationAttributes {
  const fields = recordOf(json, `${key} attributes`);
  const alternate = textsOf(fields['alternateOwnerAttrs'], `${key} attributes.alternateOwnerAttrs`);
  const releasedAt = textOrNull(fields['releasedAt']);
  return {
    handleId: textOrNull(fields['handle_id']),
    secondary: textsOf(fields['secondary'], `${key} attributes.secondary`),
    ...(Object.keys(alternate).length > 0 && { alternate }),
    ...(releasedAt !== null && { releasedAt }),
  };
}

const textsOf = (json: Json | undefined, field: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(recordOf(json ?? {}, field)).map(([name, value]) => [
      name,
      textOrNull(value) ?? JSON.stringify(value),
    ]),
  );

function recordOf(json: Json | undefined, field: string): Readonly<Record<string, Json>> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Readonly<Record<string, Json>>;
  throw new InvalidValueError(field, json, 'is not an object');
}

function listOf(json: Json | undefined, field: string): readonly Json[] {
  if (json === null || json === undefined) return [];
  if (Array.isArray(json)) return json as readonly Json[];
  throw new InvalidValueError(field, json, 'is not a list');
}

const textOrNull = (json: Json | undefined): string | null => (typeof json === 'string' ? json : null);
