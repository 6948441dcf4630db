/** A node that ran Calico over VXLAN; over tunl0 see test/vm/guest. */
import { describe } from 'vitest';
import { takeOverSuite } from '../compliance/take-over.ts';
import { isRoot } from '../support/netns.ts';

describe.skipIf(!isRoot && process.env['CI'] === undefined)('a take-over of vxlan.calico', () => {
  takeOverSuite('ctt-over', 'vxlan.calico');
});
