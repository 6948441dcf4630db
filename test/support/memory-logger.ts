import type { Logger } from '../../src/runtime/logger.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** Keeps what is logged; children write into the same list, without their fields. */
export function memoryLogger(): { readonly log: Logger; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const say = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  const log: Logger = {
    ...{ debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    child: () => log,
  };
  return { log, lines };
}
