import { as4Aggregator } from '../attribute/as4-aggregator.ts';
import { splitAs4 } from '../attribute/as4-merge.ts';
import { as4Path } from '../attribute/as4-path.ts';
import { decodeAttributes } from '../attribute/decode.ts';
import { mpReach } from '../attribute/mp-reach.ts';
import { mpUnreach } from '../attribute/mp-unreach.ts';
import type { CodecContext, Family } from '../context.ts';
import type { AttributeFault, Fault } from '../error.ts';
import { BgpError } from '../error.ts';
import { updateError } from '../iana.ts';
import { IPV4_UNICAST, isIpv4Unicast } from '../nlri/families.ts';
import type { FamilyNlri } from '../nlri/nlri.ts';
import { judgeUpdate } from '../judge.ts';
import { decodeNlri, hasMalformedRule, isFault, nlriShape } from '../nlri/table.ts';
import type { AttributeRange, UpdateScan } from '../scan.ts';
import { asMpFault, scanUpdate } from '../scan.ts';
import type { Update } from './message.ts';
import { formOf } from './update-form.ts';

/** The readable form of a whole frame, over the same walk that the speaker uses. Throws BgpError where the session must end. */
export function decodeUpdate(frame: Uint8Array, context: CodecContext): Update {
  const scan = scanUpdate(frame, context);
  if (scan.fault !== undefined && scan.remedy === 'session-reset') throw asError(scan.fault);
  const routes = readRoutes(frame, scan, context);
  const result = decodeAttributes(frame, scan.attributesStart, scan.attributesEnd, context);
  const { remedy, faults, worst } = judgeUpdate(scan, result, routes.faults);
  if (remedy === 'session-reset' && worst !== undefined) throw asError(worst);
  const { attributes, ipv4NextHop } = result;
  // AS4_PATH and AS4_AGGREGATOR are merged, and written again only where the AS numbers ask for them.
  const as4 = context.fourOctetAs ? {} : splitAs4(attributes);
  const isWritten = (code: number): boolean =>
    (code !== as4Path.code || as4.as4Path !== undefined) &&
    (code !== as4Aggregator.code || as4.as4Aggregator !== undefined);
  const form = formOf(frame, scan, isWritten);
  const disabled = [...(scan.disabled ?? []), ...routes.disabled];
  return {
    type: 'update',
    attributes,
    announced: routes.announced,
    withdrawn: routes.withdrawn,
    ...(ipv4NextHop !== undefined && ipv4NextHop !== attributes.nextHop && { ipv4NextHop }),
    ...(scan.endOfRib !== undefined && { endOfRib: scan.endOfRib }),
    ...(remedy !== undefined && { remedy }),
    ...(disabled.length > 0 && { disabled }),
    faults,
    ...(form !== undefined && { form }),
  };
}

interface Routes {
  readonly announced: FamilyNlri[];
  readonly withdrawn: FamilyNlri[];
  readonly disabled: Family[];
  readonly faults: AttributeFault[];
}

function readRoutes(frame: Uint8Array, scan: UpdateScan, context: CodecContext): Routes {
  const routes: Routes = { announced: [], withdrawn: [], disabled: [], faults: [] };
  const own = { context, family: IPV4_UNICAST };
  readOwn(routes.withdrawn, frame, { ...own, start: scan.withdrawnStart, end: scan.withdrawnEnd, withdrawn: true });
  readOwn(routes.announced, frame, { ...own, start: scan.nlriStart, end: scan.nlriEnd });
  const { mpReach: reach, mpUnreach: unreach } = scan;
  if (unreach !== undefined && scan.endOfRib === undefined) {
    readMultiprotocol(routes, frame, { context, part: unreach, withdrawn: true });
  }
  if (reach !== undefined) readMultiprotocol(routes, frame, { context, part: reach });
  return routes;
}

interface Range {
  readonly context: CodecContext;
  readonly family: Family;
  readonly start: number;
  readonly end: number;
  readonly withdrawn?: boolean;
}

function readOwn(list: FamilyNlri[], frame: Uint8Array, range: Range): void {
  if (range.start === range.end) return;
  const group = decodeRange(frame, range);
  if (isFault(group)) throw asError(group);
  list.push(group);
}

interface Part {
  readonly context: CodecContext;
  readonly part: Family & AttributeRange & { readonly nlriStart: number; readonly nlriEnd: number };
  readonly withdrawn?: boolean;
}

function readMultiprotocol(routes: Routes, frame: Uint8Array, { context, part, withdrawn = false }: Part): void {
  const family = { afi: part.afi, safi: part.safi };
  const group = decodeRange(frame, { context, family, start: part.nlriStart, end: part.nlriEnd, withdrawn });
  const attribute = withdrawn ? mpUnreach.code : mpReach.code;
  if (isFault(group)) {
    const fault = asMpFault(group, frame, part);
    if (context.mpFaults !== 'afi-safi-disable') throw asError(fault);
    routes.disabled.push(family);
    routes.faults.push({ ...fault, remedy: 'afi-safi-disable', attribute });
    return;
  }
  const list = withdrawn ? routes.withdrawn : routes.announced;
  list.push(isIpv4Unicast(family) ? { ...group, multiprotocol: true } : group);
  if (withdrawn || !hasMalformedRule(group)) return;
  const malformed = {
    text: 'a FlowSpec rule is malformed',
    code: updateError.optionalAttribute,
    data: new Uint8Array(),
  };
  routes.faults.push({ ...asMpFault(malformed, frame, part), remedy: 'treat-as-withdraw', attribute });
}

function decodeRange(frame: Uint8Array, { context, family, start, end, withdrawn = false }: Range): FamilyNlri | Fault {
  return decodeNlri(frame, start, end, nlriShape(family, context, withdrawn));
}

const asError = ({ text, code, data }: Fault): BgpError => new BgpError(text, code, data);
