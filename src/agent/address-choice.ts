/** This node's address of one family: given, kept or detected, by Calico's rules of IP and IP6. */
import type { HostInterface } from '../../felix/index.ts';
import type { DetectionMethod } from '../config/detection-method.ts';
import { formatDetectionMethod } from '../config/detection-method.ts';
import type { IpSetting } from '../config/variables.ts';
import { InvalidValueError } from '../model/invalid.ts';
import { formatIpAddress, formatPrefix, isHostPrefix, parseInterfaceAddress, sameAddress } from '../model/ip.ts';
import type { InterfaceAddress, IpAddress, IpFamily } from '../model/ip.ts';
import { detectAddress, maskOf } from './autodetect.ts';
import type { Candidate, Detection } from './autodetect.ts';

export interface AddressQuestion {
  readonly family: IpFamily;
  readonly setting: IpSetting;
  readonly method: DetectionMethod;
  /** As the Node resource has it. */
  readonly stored: string | undefined;
  readonly interfaces: readonly HostInterface[];
  /** Of spec.addresses of the Node resource. Absent: it has none. */
  readonly internalIps?: readonly IpAddress[];
  /** The source that the kernel would use towards a name or an address. */
  readonly sourceTowards: (destination: string, family: IpFamily) => Promise<IpAddress | undefined>;
}

export interface ChosenAddress {
  readonly address: InterfaceAddress;
  /** `172.30.1.11/24 of eth0, by first-found` */
  readonly reason: string;
  /** What the operator should know, a sentence each. */
  readonly warnings: readonly string[];
  /** Others were as good, and nobody chose. */
  readonly isAmbiguous: boolean;
  /** Empty where nothing was looked for. */
  readonly candidates: readonly Candidate[];
}

const VARIABLES: Readonly<Record<IpFamily, string>> = { 4: 'IP', 6: 'IP6' };

/**
 * Undefined where the node is to have no address of the family. Throws InvalidValueError where an address that was given
 * has no mask anywhere, and where one is to be detected and there is none: every candidate and its reason in the sentence.
 */
export async function chooseAddress(question: AddressQuestion): Promise<ChosenAddress | undefined> {
  const { family, setting, stored, interfaces } = question;
  if (setting.kind === 'address') return given(setting, question);
  if (setting.kind !== 'autodetect') {
    if (stored !== undefined) return keep(stored, interfaces);
    // Calico detects IPv6 only where it is told to.
    if (setting.kind === 'none' || family === 6) return undefined;
  }
  const detection = await detect(question);
  const former = stored === undefined ? undefined : parseInterfaceAddress(stored);
  if (detection.kind === 'found') return detected(detection, family, former);
  if (former === undefined) {
    const { method } = question;
    const remedy = `name an interface with ${VARIABLES[family]}_AUTODETECTION_METHOD=interface=NAME, or set ${VARIABLES[family]}`;
    throw new InvalidValueError(
      `${VARIABLES[family]}_AUTODETECTION_METHOD`,
      formatDetectionMethod(method),
      `${detection.reason}; ${remedy}`,
    );
  }
  return {
    address: former,
    reason: `${formatPrefix(former)}, which the Node resource has, for nothing else was found`,
    warnings: [`${detection.reason}; ${formatPrefix(former)} of the Node resource is kept`],
    isAmbiguous: false,
    candidates: detection.candidates,
  };
}

/** The length that was given counts; without one that of the interface, for with /32 all traffic would be tunnelled. */
function given(
  { address, hasLength }: Extract<IpSetting, { kind: 'address' }>,
  { family, interfaces }: AddressQuestion,
): ChosenAddress {
  const variable = VARIABLES[family];
  const found = maskOf(address.address, interfaces);
  const text = formatIpAddress(address.address);
  if (!hasLength && found === undefined) {
    const example = `${text}/${family === 4 ? 24 : 64}`;
    throw new InvalidValueError(
      variable,
      text,
      `is on no interface of this host; say its subnet's length too, as in ${example}`,
    );
  }
  const chosen = hasLength || found === undefined ? address : found;
  const warnings =
    found === undefined
      ? [`${text}, which ${variable} gives, is on no interface of this host`]
      : found.length !== chosen.length
        ? [`${variable} gives ${formatPrefix(chosen)}, its interface has ${formatPrefix(found)}`]
        : [];
  return {
    address: chosen,
    reason: `${formatPrefix(chosen)}, as ${variable} says`,
    warnings,
    isAmbiguous: false,
    candidates: [],
  };
}

function keep(stored: string, interfaces: readonly HostInterface[]): ChosenAddress {
  const former = parseInterfaceAddress(stored);
  const found = maskOf(former.address, interfaces);
  const address = isHostPrefix(former) && found !== undefined ? found : former;
  return {
    address,
    reason: `${formatPrefix(address)}, as the Node resource has it`,
    warnings:
      found === undefined ? [`${formatPrefix(former)} of the Node resource is on no interface of this host`] : [],
    isAmbiguous: false,
    candidates: [],
  };
}

async function detect(question: AddressQuestion): Promise<Detection> {
  const { family, method, stored, interfaces, internalIps = [], sourceTowards } = question;
  const source = method.kind === 'can-reach' ? await sourceTowards(method.destination, family) : undefined;
  return detectAddress(method, {
    ...{ family, interfaces, internalIps },
    ...(source && { sourceTowards: source }),
    ...(stored !== undefined && { stored: parseInterfaceAddress(stored).address }),
  });
}

function detected(
  detection: Extract<Detection, { kind: 'found' }>,
  family: IpFamily,
  former: InterfaceAddress | undefined,
): ChosenAddress {
  const { address, interfaceName, reason, isAmbiguous, candidates } = detection;
  const hasMoved = former !== undefined && !sameAddress(former.address, address.address);
  const variable = VARIABLES[family];
  return {
    ...{ address, reason, isAmbiguous, candidates },
    warnings: [
      ...(hasMoved ? [`this node moves from ${formatPrefix(former)} to ${formatPrefix(address)}`] : []),
      ...(isAmbiguous
        ? [
            `several IPv${family} addresses of this host would do as well as ${formatPrefix(address)} of ${interfaceName}: choose one with ${variable}_AUTODETECTION_METHOD or ${variable}`,
          ]
        : []),
    ],
  };
}
