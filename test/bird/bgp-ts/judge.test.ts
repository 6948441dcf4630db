import { describe, expect, test } from 'vitest';
import { decodeMessage } from '../../../bird/bgp-ts/index.ts';
import { context, updateFrame } from '../../support/bgp-bytes.ts';

const originAndPath = '40010100 40020602010000fde9';
const reach = `800e1e 0002 01 10 20010db8000000000000000000000001 00 40 20010db800000000`;

const judged = (attributes: string, nlri = ''): unknown => {
  const result = decodeMessage(updateFrame({ attributes, nlri }), context());
  if (result.kind === 'fault') return result.fault.code;
  if (result.message.type !== 'update') throw new Error('no UPDATE');
  const { remedy, faults } = result.message;
  return [remedy, ...faults.map((fault) => [fault.remedy, fault.code])];
};

describe('NEXT_HOP beside MP_REACH alone is ignored, RFC 4760 §3', () => {
  test.each([
    ['0.0.0.0', '400304 00000000', [3, 8]],
    ['of two octets', '400302 0000', [3, 5]],
    ['with wrong flags', 'c00304 c0000201', [3, 4]],
  ])('%s costs nothing but itself', (_, nextHop, code) => {
    expect(judged(`${reach} ${originAndPath} ${nextHop}`)).toEqual(['attribute-discard', ['attribute-discard', code]]);
    expect(judged(`${reach} ${originAndPath} ${nextHop}`, '08 0a')).toEqual([
      'treat-as-withdraw',
      ['treat-as-withdraw', code],
    ]);
  });

  test('what else is wrong or missing still counts', () => {
    expect(judged(`${reach} 40010100 400302 0000`)).toEqual([
      'treat-as-withdraw',
      ['attribute-discard', [3, 5]],
      ['treat-as-withdraw', [3, 3]],
    ]);
  });

  test('without MP_REACH no prefix was reachable, RFC 7606 §5.2', () => {
    expect(judged(`800f080002012020010db8 ${originAndPath} 400304 00000000`)).toEqual([3, 8]);
  });
});
