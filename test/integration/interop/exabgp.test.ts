import { exabgp } from '../../capture/daemons/exabgp.ts';
import { exabgpTrials } from '../../interop/exabgp/trials.ts';
import { liveSuite } from '../../interop/live-suite.ts';

liveSuite({ name: 'ExaBGP', order: 5, daemon: exabgp, labs: 'ex' }, exabgpTrials);
