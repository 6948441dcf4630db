import { stringify } from 'yaml';

/** Without anchors: what is there twice is written twice. */
export const formatYaml = (value: unknown): string => stringify(value, { aliasDuplicateObjects: false });
