/** One sentence per wrong variable, all of them at once. In a file of its own: who tells of it needs no schema. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}
