import { expect, test } from 'vitest';
import { discardsIn, unspecified } from './kernel-discards.ts';

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
  expect(discardsIn(trace)).toBe(2);
  expect(discardsIn('# tracer: nop\n')).toBe(0);
});

test('the number of the reason is the kernel’s own', () => {
  const format = 'print fmt: "...", __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, { 3, "NO_SOCKET" })';
  expect(unspecified(format)).toBe(2);
  expect(() => unspecified('print fmt: "skbaddr=%p"')).toThrow('tells no reasons');
});
