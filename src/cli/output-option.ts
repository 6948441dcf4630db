import { Option } from 'commander';

/** `-o json` beside the table that people read. */
export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table');

export const formatJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
