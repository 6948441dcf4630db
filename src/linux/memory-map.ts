/** A part of the address space. */
export interface Region {
  readonly start: number;
  readonly octets: number;
}

/** Address, permissions, offset, device, inode and path: proc_pid_maps(5). Readable, not writable, private. */
const HEAD = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p [0-9a-f]+ \S+ \d+ +(.+)$/;
/** Pages that are a copy of the file's are no file's any more, in memory or swapped out: relocations that were made before it became read-only. */
const COPIES = /^(?:Anonymous|Swap): +[1-9]/m;
const COUNTED = /^Anonymous: /m;

/** Where `path` is mapped read-only and nobody ever wrote. `smaps` is /proc/PID/smaps. */
export function unwrittenRegions(smaps: string, path: string): readonly Region[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((region) => {
    const head = HEAD.exec(region.slice(0, region.indexOf('\n')));
    if (head?.[3] !== path || !COUNTED.test(region) || COPIES.test(region)) return [];
    const [start, end] = [Number.parseInt(head[1]!, 16), Number.parseInt(head[2]!, 16)];
    return [{ start, octets: end - start }];
  });
}
