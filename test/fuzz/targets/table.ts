import { attributes } from './attributes.ts';
import { bmp } from './bmp.ts';
import { json } from './json.ts';
import { message } from './message.ts';
import { mrt } from './mrt.ts';
import { nlri } from './nlri.ts';
import { stream } from './stream.ts';
import type { FuzzTarget } from './target.ts';

/** A new target: its file here, and its row. Shares are out of their sum. */
export const targets: readonly FuzzTarget[] = [message, attributes, nlri, stream, json, mrt, bmp];
