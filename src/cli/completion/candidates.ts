import type { Command, Option } from 'commander';
import type { Kind } from '../../resources/index.ts';
import { kindByAlias, KINDS, kindTable } from '../../resources/index.ts';
import { FILES } from './scripts.ts';

export interface Completing {
  /** The words after the program's own name; the last is the one that is completed, and may be empty. */
  readonly words: readonly string[];
  /** Names of a kind's resources; none where that would take long. */
  readonly namesOf: (kind: Kind) => Promise<readonly string[]>;
}

/** Every word that may stand where the last one stands and begins like it; or FILES alone. */
export async function candidates(program: Command, { words, namesOf }: Completing): Promise<readonly string[]> {
  const current = words.at(-1) ?? '';
  const { command, operands, pending } = walk(program, words.slice(0, -1));
  const found = pending === undefined ? await wordsOf({ command, operands, current, namesOf }) : valuesOf(pending);
  return found.includes(FILES) ? [FILES] : found.filter((word) => word.startsWith(current));
}

interface Place {
  readonly command: Command;
  /** Words before the current one that are no options. */
  readonly operands: readonly string[];
  /** An option that waits for its value. */
  readonly pending?: Option;
}

function walk(program: Command, before: readonly string[]): Place {
  let command = program;
  let operands: string[] = [];
  let pending: Option | undefined;
  for (const word of before) {
    if (pending !== undefined) {
      pending = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      pending = optionsOf(command).find(
        (option) => [option.long, option.short].includes(word) && (option.required || option.optional),
      );
      continue;
    }
    const below = command.commands.find((one) => one.name() === word);
    if (below !== undefined && operands.length === 0) [command, operands] = [below, []];
    else operands.push(word);
  }
  return { command, operands, ...(pending !== undefined && { pending }) };
}

/** The command's own and those of all above it. */
const optionsOf = (command: Command): readonly Option[] => [
  ...command.options,
  ...(command.parent === null ? [] : optionsOf(command.parent)),
];

interface Asked extends Omit<Place, 'pending'> {
  readonly current: string;
  readonly namesOf: Completing['namesOf'];
}

async function wordsOf({ command, operands, current, namesOf }: Asked): Promise<readonly string[]> {
  if (current.startsWith('-')) {
    return [
      ...optionsOf(command).flatMap(({ long, short }) => [long, short].filter((flag) => flag !== undefined)),
      '--help',
    ];
  }
  if (command.commands.length > 0) return operands.length === 0 ? visible(command) : [];
  const [first] = command.registeredArguments;
  if (first?.argChoices !== undefined) return operands.length === 0 ? first.argChoices : [];
  if (first?.name() !== 'kind') return [];
  const [word] = operands;
  if (word === undefined) return kindWords(current);
  const kind = kindByAlias(word);
  const wantsNames = kind !== undefined && takesNames(command, operands.length);
  if (!wantsNames) return [];
  const names = await namesOf(kind);
  return names.filter((name) => !operands.includes(name));
}

const visible = (command: Command): readonly string[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((one) => one.name())
    .filter((name) => name !== 'help');

/** `[names...]` goes on for ever, `<name>` is one, and a label is none of the datastore's. */
function takesNames(command: Command, at: number): boolean {
  const argument = command.registeredArguments[at] ?? command.registeredArguments.at(-1);
  if (argument === undefined || !argument.name().startsWith('name')) return false;
  return argument.variadic || command.registeredArguments[at] !== undefined;
}

/** Plurals are what people read; the short words come once somebody has begun to type. */
function kindWords(current: string): readonly string[] {
  const plurals = KINDS.map((kind) => kindTable[kind].plural);
  if (current === '') return plurals.toSorted();
  const words = KINDS.flatMap((kind) => [kind.toLowerCase(), ...kindTable[kind].aliases]);
  return [...plurals, ...words].toSorted();
}

/** What `-o` of `get` takes is said in its own help. */
function valuesOf(option: Option): readonly string[] {
  if (option.argChoices !== undefined) return option.argChoices;
  if (option.attributeName() === 'output') return OUTPUTS;
  if (option.attributeName() === 'logLevel') return ['panic', 'fatal', 'error', 'warn', 'info', 'debug'];
  return /<(path|file|directory)>/.test(option.flags) ? [FILES] : [];
}

const OUTPUTS = ['table', 'ps', 'wide', 'json', 'yaml', 'name', 'jsonpath=', 'custom-columns='];
