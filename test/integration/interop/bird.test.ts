import { bird as daemon } from '../../capture/daemons/bird.ts';
import { bird } from '../../interop/bird.ts';
import { liveSuite } from '../../interop/live-suite.ts';
import { allTrials } from '../../interop/trials/all.ts';

liveSuite({ name: 'BIRD', order: 1, daemon, labs: 'bi' }, (labs) => allTrials(bird, labs));
