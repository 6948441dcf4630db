/** A value from outside that cannot be accepted: one sentence that names the field and the value. */
export class InvalidValueError extends Error {
  override readonly name = 'InvalidValueError';
  readonly field: string;
  readonly value: string;
  readonly reason: string;

  constructor(field: string, value: unknown, reason: string) {
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    super(`${field} = '${shown}': ${reason}`);
    this.field = field;
    this.value = shown;
    this.reason = reason;
  }
}

/** We broke our own rules: a bug. Caught nowhere below main. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
