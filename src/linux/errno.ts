/** What the kernel's network side answers, on Linux x86-64 and arm64 (asm-generic/errno*.h). */
const ERRORS = new Map<number, readonly [name: string, words: string]>([
  [1, ['EPERM', 'operation not permitted']],
  [2, ['ENOENT', 'no such file or directory']],
  [3, ['ESRCH', 'no such entry']],
  [4, ['EINTR', 'interrupted']],
  [5, ['EIO', 'input/output error']],
  [6, ['ENXIO', 'no such device or address']],
  [9, ['EBADF', 'bad file descriptor']],
  [11, ['EAGAIN', 'no answer in time']],
  [12, ['ENOMEM', 'out of memory']],
  [13, ['EACCES', 'permission denied']],
  [14, ['EFAULT', 'bad address']],
  [16, ['EBUSY', 'device or resource busy']],
  [17, ['EEXIST', 'exists already']],
  [19, ['ENODEV', 'no such device']],
  [20, ['ENOTDIR', 'not a directory']],
  [22, ['EINVAL', 'invalid argument']],
  [23, ['ENFILE', 'too many open files in the system']],
  [24, ['EMFILE', 'too many open files']],
  [28, ['ENOSPC', 'no space left']],
  [30, ['EROFS', 'read-only file system']],
  [32, ['EPIPE', 'broken pipe']],
  [34, ['ERANGE', 'out of range']],
  [71, ['EPROTO', 'protocol error']],
  [88, ['ENOTSOCK', 'not a socket']],
  [90, ['EMSGSIZE', 'message too long']],
  [92, ['ENOPROTOOPT', 'no such option']],
  [93, ['EPROTONOSUPPORT', 'protocol not supported']],
  [95, ['EOPNOTSUPP', 'operation not supported']],
  [97, ['EAFNOSUPPORT', 'address family not supported']],
  [98, ['EADDRINUSE', 'address in use']],
  [99, ['EADDRNOTAVAIL', 'address not available']],
  [100, ['ENETDOWN', 'network is down']],
  [101, ['ENETUNREACH', 'network is unreachable']],
  [102, ['ENETRESET', 'network dropped the connection']],
  [103, ['ECONNABORTED', 'connection aborted']],
  [104, ['ECONNRESET', 'connection reset']],
  [105, ['ENOBUFS', 'no buffer space left']],
  [106, ['EISCONN', 'connected already']],
  [107, ['ENOTCONN', 'not connected']],
  [110, ['ETIMEDOUT', 'timed out']],
  [111, ['ECONNREFUSED', 'connection refused']],
  [112, ['EHOSTDOWN', 'host is down']],
  [113, ['EHOSTUNREACH', 'no route to host']],
  [114, ['EALREADY', 'under way already']],
  [115, ['EINPROGRESS', 'under way']],
]);

/** `EEXIST` for 17; `errno 200` for a number without a row. */
export const errnoName = (errno: number): string => ERRORS.get(errno)?.[0] ?? `errno ${errno}`;

/** `EEXIST (exists already)`. */
export function errnoText(errno: number): string {
  const row = ERRORS.get(errno);
  return row === undefined ? `errno ${errno}` : `${row[0]} (${row[1]})`;
}
