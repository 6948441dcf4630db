import { openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { destination, pino } from 'pino';
import type { LoggerOptions, Logger as PinoLogger } from 'pino';
import type { PinoPretty } from 'pino-pretty';

/** Structured log: fields first, then one short sentence. Pure code never logs, it returns. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger with more fields; with a threshold of its own where a component's level may change while it runs. */
  child(fields: object, threshold?: LogThreshold): Logger;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a logger and all its children let through; whoever made it may change it. */
export interface LogThreshold {
  level: LogLevel;
}

/** One JSON line per event on stderr, or coloured text where stderr is a terminal. */
export function createLogger(level: LogLevel): Logger {
  const stream = process.stderr.isTTY
    ? loadPretty()({ destination: 2, sync: true, ignore: 'pid,hostname' })
    : destination({ dest: 2, sync: true });
  return fromPino(pino(OPTIONS, stream), { level });
}

/** Takes as long as the real one, and nobody reads it. */
export const createUnreadLogger = (): Logger =>
  fromPino(pino(OPTIONS, destination({ dest: openSync('/dev/null', 'w'), sync: true })), { level: 'info' });

const OPTIONS: LoggerOptions = {
  ...{ level: 'trace', base: {}, timestamp: pino.stdTimeFunctions.isoTime, errorKey: 'error' },
  formatters: { level: (label) => ({ level: label }) },
};

/** A daemon has no terminal. */
const loadPretty = (): typeof PinoPretty => createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty;

function fromPino(log: PinoLogger, threshold: LogThreshold): Logger {
  const say = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(threshold.level)) log[level](fields, message);
  };
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    child: (fields, own = threshold) => fromPino(log.child(fields), own),
  };
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
