import { describe, expect, test } from 'vitest';
import type { BmpMessage, PeerUp, RouterPeer } from '../../../../bird/bgp-ts/bmp/index.ts';
import { bgpContext, BmpSession, peerUpContexts } from '../../../../bird/bgp-ts/bmp/index.ts';
import { formatMessage } from '../../../../bird/bgp-ts/index.ts';
import { bytes } from '../../../support/bgp-bytes.ts';
import { locRib, MARKER, notificationHex, peer, updateHex } from './by-hand.ts';

/** An OPEN of AS 65001 with ADD-PATH (RFC 7911 §4) for IPv4 unicast: 1 receive, 2 send, 3 both. */
const openWith = (mode: string): Uint8Array =>
  bytes(MARKER, '0025 01', '04 fde9 00b4 c0000201', '08 0206 4504 0001 01', mode);

const peerUp = (sent: Uint8Array, received: Uint8Array, of: PeerUp['peer'] = peer): PeerUp => ({
  type: 'peer-up',
  peer: of,
  localAddress: new Uint8Array(of.address.length),
  localPort: 179,
  remotePort: 1,
  sentOpen: sent,
  receivedOpen: received,
  tlvs: [],
});

const down = (of: PeerUp['peer'] = peer): BmpMessage => ({ type: 'peer-down', peer: of, reason: 'de-configured' });

const adjRibOut: RouterPeer = { ...peer, adjRibOut: true };

const hasPathIds = (session: BmpSession, of: PeerUp['peer'] = peer): boolean =>
  session.contextOf(of).addPath.has('1/1');

describe('BmpSession', () => {
  test('Adj-RIB-In is read as what the router receives, Adj-RIB-Out as what it sends', () => {
    const receives = new BmpSession();
    receives.observe(peerUp(openWith('01'), openWith('02')));
    expect([hasPathIds(receives), hasPathIds(receives, adjRibOut)]).toEqual([true, false]);
    const sends = new BmpSession();
    sends.observe(peerUp(openWith('02'), openWith('01')));
    expect([hasPathIds(sends), hasPathIds(sends, adjRibOut)]).toEqual([false, true]);
    const neither = new BmpSession();
    neither.observe(peerUp(openWith('01'), openWith('01')));
    expect([hasPathIds(neither), hasPathIds(neither, adjRibOut)]).toEqual([false, false]);
  });

  test('a prefix behind a path identifier is read with it', () => {
    // Withdrawn: path identifier 7, 203.0.113.0/24.
    const withdrawal = bytes(MARKER, '001f 02', '0008 00000007 18 cb0071', '0000');
    const session = new BmpSession();
    const read = (): string => {
      const result = session.decode(peer, withdrawal);
      return result.kind === 'ok' ? formatMessage(result.message) : result.fault.text;
    };
    session.observe(peerUp(openWith('01'), openWith('02')));
    expect(read()).toBe('UPDATE withdraw 203.0.113.0/24#7');
    const monitoring: BmpMessage = { type: 'route-monitoring', peer, bgp: withdrawal };
    expect(session.format(monitoring)).toMatch(/: UPDATE withdraw 203.0.113.0\/24#7$/);
    expect(session.format({ type: 'initiation', tlvs: [] })).toBe('INITIATION');
    session.observe(down());
    expect(read()).not.toContain('#7');
  });

  test('several labels are read where both OPENs can take them, RFC 8277 §2.1', () => {
    // Multiple labels (capability 8): two of them for IPv4 labeled unicast.
    const open = bytes(MARKER, '0025 01', '04 fde9 00b4 c0000201', '08 0206 0804 0001 04 02');
    // 0.0.0.0/0 behind labels 100 and 200.
    const reach = bytes(
      MARKER,
      '0031 02',
      '0000 001a',
      '40010100 400200',
      '800e 10 0001 04 04 c0000201 00 30 000640 000c81',
    );
    const session = new BmpSession();
    session.observe(peerUp(open, open));
    const result = session.decode(peer, reach);
    expect(result.kind === 'ok' ? formatMessage(result.message) : result.fault.text).toContain(
      '0.0.0.0/0 label 100/200',
    );
  });

  test('what a Peer Up settled holds for post-policy too, until Peer Down, and for that peer alone', () => {
    const session = new BmpSession();
    session.observe(peerUp(openWith('03'), openWith('03')));
    expect(hasPathIds(session, { ...peer, postPolicy: true })).toBe(true);
    expect(hasPathIds(session, { ...peer, asn: 1, bgpIdentifier: 1, seconds: 1 })).toBe(true);
    expect(hasPathIds(session, { ...peer, peerType: 'local' })).toBe(false);
    expect(hasPathIds(session, { ...peer, address: bytes('c0000203') })).toBe(false);
    expect(hasPathIds(session, { ...peer, distinguisher: bytes('0000000000000001') })).toBe(false);
    session.observe(down({ ...peer, address: bytes('c0000203') }));
    expect(hasPathIds(session)).toBe(true);
    session.observe(down());
    expect(hasPathIds(session)).toBe(false);
  });

  test('the O flag of Peer Up and Peer Down is ignored, RFC 8671 §6.3', () => {
    const session = new BmpSession();
    session.observe(peerUp(openWith('03'), openWith('03'), adjRibOut));
    expect([hasPathIds(session), hasPathIds(session, adjRibOut)]).toEqual([true, true]);
    session.observe(down(adjRibOut));
    expect([hasPathIds(session), hasPathIds(session, adjRibOut)]).toEqual([false, false]);
  });

  test('a second Peer Up replaces the first, also one whose OPENs do not decode', () => {
    const session = new BmpSession();
    session.observe(peerUp(openWith('03'), openWith('03')));
    session.observe(peerUp(openWith('03'), openWith('01')));
    expect([hasPathIds(session), hasPathIds(session, adjRibOut)]).toEqual([false, true]);
    session.observe(peerUp(openWith('03'), bytes(MARKER, '001d 01', '03 fde9 00b4 c0000201 00')));
    expect(hasPathIds(session, adjRibOut)).toBe(false);
  });

  test('Termination ends all peers', () => {
    const session = new BmpSession();
    session.observe(peerUp(openWith('03'), openWith('03')));
    session.observe({ type: 'termination', tlvs: [] });
    expect(hasPathIds(session)).toBe(false);
  });

  test('of more peers than it may hold it forgets the one that came up first', () => {
    const session = new BmpSession(2);
    const peers = ['01', '02', '03'].map((octet): RouterPeer => ({ ...peer, address: bytes('0a0000', octet) }));
    const up = (i: number): void => session.observe(peerUp(openWith('03'), openWith('03'), peers[i]));
    up(0);
    up(1);
    up(0); // Again, so that the second is the oldest.
    up(2);
    expect(peers.map((each) => hasPathIds(session, each))).toEqual([true, false, true]);
  });

  test('a Loc-RIB has a Peer Up of its own', () => {
    const session = new BmpSession();
    session.observe(peerUp(openWith('03'), openWith('03'), locRib));
    expect([hasPathIds(session, locRib), hasPathIds(session)]).toEqual([true, false]);
  });
});

describe('the context of a BGP message', () => {
  test('the A flag alone says that AS numbers have two octets', () => {
    // The OPENs have no four-octet AS capability; the router rewrote the AS_PATH.
    const contexts = peerUpContexts(peerUp(openWith('03'), openWith('03')))!;
    expect(contexts.receive.fourOctetAs).toBe(false);
    expect(bgpContext(peer, contexts).fourOctetAs).toBe(true);
    expect(bgpContext({ ...peer, legacyAsPath: true }, contexts).fourOctetAs).toBe(false);
    expect(bgpContext(locRib).fourOctetAs).toBe(true);
  });

  test('an AS_PATH of two octets is read as such', () => {
    // ORIGIN igp, AS_PATH 65001, NEXT_HOP 192.0.2.2, 203.0.113.0/24.
    const legacy = bytes(MARKER, '002d 02', '0000 0012', '40010100 400204 0201 fde9 400304 c0000202', '18 cb0071');
    const session = new BmpSession();
    const result = session.decode({ ...peer, legacyAsPath: true }, legacy);
    expect(result.kind === 'ok' && formatMessage(result.message)).toBe(
      'UPDATE announce 203.0.113.0/24 next-hop 192.0.2.2 as-path [65001] origin igp',
    );
    expect(session.decode(peer, legacy)).toMatchObject({ message: { remedy: 'treat-as-withdraw' } });
  });

  test('a station hides nothing: LOCAL_PREF from an external peer is shown, and any length is taken', () => {
    const session = new BmpSession();
    session.observe(peerUp(openWith('03').fill(1, 20, 22), openWith('03')));
    expect(session.contextOf(peer)).toMatchObject({ external: false, extendedMessage: true });
    const long = bytes(notificationHex, '00'.repeat(5000));
    new DataView(long.buffer).setUint16(16, long.length);
    expect(session.decode(peer, long).kind).toBe('ok');
  });

  test('without a Peer Up there is no ADD-PATH, and the message reads', () => {
    const result = new BmpSession().decode(peer, bytes(updateHex));
    expect(result.kind === 'ok' && formatMessage(result.message)).toBe(
      'UPDATE announce 203.0.113.0/24 next-hop 192.0.2.2 as-path [4200000002] origin igp',
    );
  });
});
