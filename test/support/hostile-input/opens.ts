import { bytes, frame } from '../bgp-bytes.ts';
import type { Row } from './row.ts';
import { header, withAttribute } from './updates.ts';

/** Version 4, AS 65001, hold time 90, identifier 10.66.0.9, then the parameters with their length. */
const open = ({ version = '04', asn = 'fde9', hold = '005a', id = '0a420009', parameters = '' }): Uint8Array => {
  const octets = parameters.replaceAll(' ', '');
  return frame(1, bytes(version, asn, hold, id, (octets.length / 2).toString(16).padStart(2, '0'), octets));
};
const IPV4 = '0206 0104 00010001';
const AS4 = '0206 4104 0000fde9';
const USUAL = IPV4 + AS4;

/** OPENs, and what may stand in their place. */
export const inPlaceOfOpen: readonly Row[] = [
  {
    number: 50,
    name: 'open-version-3',
    octets: open({ version: '03', parameters: USUAL }),
    reaction: { do: 'NOTIFICATION', code: '2/1', data: '0004' },
  },
  {
    number: 51,
    name: 'open-wrong-as',
    octets: open({ asn: 'fdf1', parameters: `${IPV4} 0206 4104 0000fdf1` }),
    reaction: { do: 'NOTIFICATION', code: '2/2', data: '0000fdf1' },
  },
  {
    number: 52,
    name: 'open-as0',
    octets: open({ asn: '0000', parameters: `${IPV4} 0206 4104 00000000` }),
    reaction: { do: 'NOTIFICATION', code: '2/2', data: '00000000' },
  },
  {
    number: 53,
    name: 'open-as2-as4-mismatch',
    octets: open({ asn: 'fdf1', parameters: USUAL }),
    reaction: { do: 'establish' },
  },
  {
    number: 54,
    name: 'open-rid-0',
    octets: open({ id: '00000000', parameters: USUAL }),
    reaction: { do: 'NOTIFICATION', code: '2/3' },
  },
  {
    number: 55,
    name: 'open-hold-1',
    octets: open({ hold: '0001', parameters: USUAL }),
    reaction: { do: 'NOTIFICATION', code: '2/6', data: '0001' },
  },
  {
    number: 56,
    name: 'open-optlen-short',
    octets: frame(1, bytes('04 fde9 005a 0a420009 08', USUAL)),
    reaction: { do: 'NOTIFICATION', code: '2/0' },
  },
  {
    number: 57,
    name: 'open-param-type-99',
    octets: open({ parameters: `${USUAL} 63020102` }),
    reaction: { do: 'NOTIFICATION', code: '2/4', data: '63020102' },
  },
  {
    number: 58,
    name: 'open-cap-truncated',
    octets: open({ parameters: `${AS4} 0204 01040001` }),
    reaction: { do: 'NOTIFICATION', code: '2/0' },
  },
  {
    number: 59,
    name: 'open-cap-as4-len-2',
    octets: open({ parameters: `${IPV4} 0204 4102 fde9` }),
    reaction: { do: 'NOTIFICATION', code: '2/0' },
  },
  {
    number: 60,
    name: 'open-no-common-family',
    octets: open({ parameters: `0206 0104 00190046 ${AS4}` }),
    reaction: { do: 'NOTIFICATION', code: '2/7', data: '010400010001010400020001' },
  },
  {
    number: 61,
    name: 'open-ext-params-rfc9072',
    octets: frame(1, bytes('04 fde9 005a 0a420009 ff ff 0012 020006 010400010001 020006 41040000fde9')),
    reaction: { do: 'establish' },
  },
  {
    number: 62,
    name: 'fsm-keepalive-in-opensent',
    octets: header(19, 4),
    reaction: { do: 'NOTIFICATION', code: '5/1' },
  },
  {
    number: 63,
    name: 'fsm-notification-in-opensent',
    octets: frame(3, bytes('0602')),
    reaction: { do: 'hang up' },
  },
  {
    number: 66,
    name: 'fsm-garbage-instead-of-open',
    octets: new TextEncoder().encode('GET / HTTP/1.1\r\nHost: 10.66.0.1\r\n\r\n'),
    reaction: { do: 'NOTIFICATION', code: '1/1' },
  },
];

export const afterOpens: readonly Row[] = [
  {
    number: 64,
    name: 'fsm-update-in-openconfirm',
    octets: withAttribute(''),
    reaction: { do: 'NOTIFICATION', code: '5/2' },
  },
];
