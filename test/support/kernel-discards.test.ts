import { expect, test } from 'vitest';
import { discardsIn, numbersOf } from './kernel-discards.ts';

test('of the stacks of dropped packets those count in which the route was dead', () => {
  const trace = `# tracer: nop
            ping-177     [001] ..s1.   105.753838: <stack trace>
 => trace_event_raw_event_kfree_skb
 => kfree_skb_reason
 => dst_discard_out
 => __netif_receive_skb_one_core
 => process_backlog
            ping-174     [000] ..s1.   150.421127: <stack trace>
 => trace_event_raw_event_kfree_skb
 => kfree_skb_reason
 => ip_tunnel_xmit
 => ipip_tunnel_xmit
            ping-177     [001] ..s1.   151.753838: <stack trace>
 => kfree_skb_reason
 => dst_discard
 => ip_sublist_rcv_finish
`;
  const by = { dst_discard_out: 1, ip_tunnel_xmit: 1, dst_discard: 1 };
  expect(discardsIn(trace)).toEqual({ deadRoute: 2, by: new Map(Object.entries(by)) });
  expect(discardsIn('# tracer: nop\n')).toEqual({ deadRoute: 0, by: new Map() });
});

test('the numbers of the reasons are the kernel’s own', () => {
  const number = numbersOf(
    'print fmt: "...", __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, { 3, "NO_SOCKET" })',
  );
  expect(number('NO_SOCKET')).toBe(3);
  expect(() => number('SOCKET_FILTER')).toThrow('knows no reason SOCKET_FILTER');
});
