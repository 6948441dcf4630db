/**
 * Node's `node:http`, by the way that is cheap. `import 'node:http'` reads every name that it exports, and one of them is WebSocket,
 * for which Node loads a whole HTTP client more: 13 MB and 26 ms for each process (Node 24.21), agent and calicoctl-ts alike.
 */
export const http = process.getBuiltinModule('node:http');
