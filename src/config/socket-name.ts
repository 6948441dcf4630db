/** The agent's unix socket, in the run directory. */
export const SOCKET_NAME = 'calico-ts.sock';
