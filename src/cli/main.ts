import packageJson from '../../package.json' with { type: 'json' };
import { COMPLETE } from './completion/scripts.ts';
import { runCli } from './program.ts';
import { systemIo } from './system-io.ts';

const args = process.argv.slice(2);
process.exitCode = await runCli(args, systemIo(packageJson.version));
// A datastore that was not waited for keeps nobody's shell.
if (args[0] === COMPLETE) process.exit();
