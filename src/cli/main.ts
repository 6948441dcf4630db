import packageJson from '../../package.json' with { type: 'json' };
import { COMPLETE } from './completion/scripts.ts';
import { runCli } from './program.ts';
import { systemIo } from './system-io.ts';

// Whoever reads no further, `head` for one, has what it wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

/** Put in by .ci/build-cli; what runs from the sources has none. */
declare const BUILD_COMMIT: string | undefined;
const commit = typeof BUILD_COMMIT === 'string' ? BUILD_COMMIT : undefined;

const args = process.argv.slice(2);
process.exitCode = await runCli(args, systemIo(packageJson.version, commit));
// A datastore that was not waited for keeps nobody's shell.
if (args[0] === COMPLETE) process.exit();
