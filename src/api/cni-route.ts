/** POST /v1/cni: a CNI call as the plugin passes it on, which knows no JSON. The variables come as headers, stdin as the body. */
import type { ServerRoute } from '@hapi/hapi';
import type { CniEnvironment } from '../cni/environment.ts';
import { CNI_CODE, CniError, formatError } from '../cni/errors.ts';
import type { CniAnswer } from '../cni/verbs.ts';
import { NEWEST_VERSION } from '../cni/versions.ts';

export interface CniApi {
  cni(environment: CniEnvironment, stdin: Uint8Array): Promise<CniAnswer>;
}

/** The plugin reads no more than 1 MiB from stdin. */
const MAX_OCTETS = 2 * 1024 * 1024;

/** `CNI-Error: 1` tells the plugin that the body is the runtime's and not a failure of the way there. */
export const cniRoute = (api: CniApi): ServerRoute => ({
  method: 'POST',
  path: '/v1/cni',
  options: { payload: { parse: false, output: 'data', maxBytes: MAX_OCTETS } },
  handler: async (request, h) => {
    const { code, body } = await answer(api, request.headers, request.payload as Uint8Array | null);
    const response = h.response(body).type('application/json').code(statusOf(code));
    return code === 0 ? response : response.header('CNI-Error', '1');
  },
});

async function answer(
  api: CniApi,
  headers: Readonly<Record<string, unknown>>,
  payload: Uint8Array | null,
): Promise<CniAnswer> {
  try {
    return await api.cni(environmentOf(headers), payload ?? new Uint8Array());
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    return { code: error.code, body: formatError(error, NEWEST_VERSION) };
  }
}

const HEADERS: readonly (readonly [keyof CniEnvironment, string])[] = [
  ['command', 'CNI_COMMAND'],
  ['containerId', 'CNI_CONTAINERID'],
  ['netns', 'CNI_NETNS'],
  ['ifName', 'CNI_IFNAME'],
  ['args', 'CNI_ARGS'],
];

/** `cni-containerid` is CNI_CONTAINERID, percent-encoded octet by octet. */
function environmentOf(headers: Readonly<Record<string, unknown>>): CniEnvironment {
  const given = HEADERS.flatMap(([key, variable]) => {
    const encoded = headers[variable.replace('_', '-').toLowerCase()];
    return typeof encoded !== 'string' || encoded === '' ? [] : [[key, decoded(variable, encoded)] as const];
  });
  return Object.fromEntries(given);
}

function decoded(variable: string, encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new CniError(CNI_CODE.invalidEnvironment, `${variable} = '${encoded}' (percent-encoded): is not UTF-8`);
  }
}

/** For whoever reads a log of requests; the plugin goes by the header. */
function statusOf(code: number): number {
  if (code === 0) return 200;
  const isAway = [CNI_CODE.tryAgainLater, CNI_CODE.unavailable, CNI_CODE.limitedConnectivity].some(
    (one) => one === code,
  );
  if (isAway) return 503;
  return code < 100 ? 400 : 500;
}
