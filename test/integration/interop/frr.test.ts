import { frr as daemon } from '../../capture/daemons/frr.ts';
import { frr } from '../../interop/frr.ts';
import { liveSuite } from '../../interop/live-suite.ts';
import { allTrials } from '../../interop/trials/all.ts';

liveSuite({ name: 'FRR', order: 2, daemon, labs: 'fr' }, (labs) => allTrials(frr, labs));
