import { openbgpd } from '../../capture/daemons/openbgpd.ts';
import { liveSuite } from '../../interop/live-suite.ts';
import { openbgpdTrials } from '../../interop/openbgpd/trials.ts';

liveSuite({ name: 'OpenBGPD', order: 4, daemon: openbgpd, labs: 'ob' }, openbgpdTrials);
