import { gobgp } from '../../capture/daemons/gobgp.ts';
import { gobgpTrials } from '../../interop/gobgp/trials.ts';
import { liveSuite } from '../../interop/live-suite.ts';

liveSuite({ name: 'GoBGP', order: 3, daemon: gobgp, labs: 'go' }, gobgpTrials);
