/** `2023-11-14T22:13:20Z` of seconds since 1970, with microseconds where they are told. */
export function formatTime(seconds: number, microseconds?: number): string {
  const time = new Date(seconds * 1000).toISOString().slice(0, -'.000Z'.length);
  return microseconds === undefined ? `${time}Z` : `${time}.${String(microseconds).padStart(6, '0')}Z`;
}
