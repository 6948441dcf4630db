import { statfs } from 'node:fs/promises';
import { InvalidValueError } from '../model/invalid.ts';

/** `NSFS_MAGIC` of linux/magic.h: the file system of namespaces. */
const NSFS = 0x6e736673;

/**
 * Throws InvalidValueError with the path where there is nothing, or something that is no namespace: one that was removed
 * leaves an empty file behind.
 */
export async function requireNamespace(netns: string): Promise<void> {
  const { type } = await statfs(netns).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new InvalidValueError('netns', netns, code === 'ENOENT' ? 'is not there' : `cannot be read: ${message}`);
  });
  if (type !== NSFS) throw new InvalidValueError('netns', netns, 'is not a network namespace');
}
