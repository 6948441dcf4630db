import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { InvalidValueError } from '../model/invalid.ts';
import { configurationOf } from './convert.ts';
import type { SpeakerConfiguration } from './convert.ts';
import { checkPassword } from './fields.ts';
import { ConfigurationError } from './problems.ts';

/** Reads the file and the passwords that it points to. Throws ConfigurationError with every problem. */
export function loadConfiguration(file: string): SpeakerConfiguration {
  return configurationOf(parse(readText(file)), (name) => readPassword(resolve(dirname(file), name)));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigurationError([`the file cannot be read: ${reasonOf(error)}`]);
  }
}

/** One YAML document. Its own faults come with line and column. */
function parse(text: string): unknown {
  const [first, ...more] = parseAllDocuments(text, { logLevel: 'error' });
  if (first === undefined || first.contents === null) throw new ConfigurationError(['the file is empty']);
  if (more.length > 0) throw new ConfigurationError([`the file holds ${more.length + 1} documents instead of one`]);
  if (first.errors.length > 0) {
    throw new ConfigurationError(first.errors.map(({ message }) => message.split('\n')[0]!.replace(/:$/, '')));
  }
  try {
    return first.toJS() as unknown;
  } catch (error) {
    throw new ConfigurationError([(error as Error).message]);
  }
}

/** Without the end of its line, which every editor puts there. */
function readPassword(path: string): string {
  return checkPassword(readOrRefuse(path).replace(/\r?\n$/, ''));
}

function readOrRefuse(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InvalidValueError('passwordFile', path, `cannot be read: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    default:
      return message;
  }
}
