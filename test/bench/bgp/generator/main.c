/*
 * bgpblast - BGP load generator and receiving monitor for benchmarking one
 *            BGP daemon (the "device under test", DUT) over plain TCP.
 *
 *   bgpblast run    ...   N injector + R monitor sessions against a DUT
 *   bgpblast mirror ...   a null DUT: forwards UPDATEs without keeping a RIB
 *   bgpblast dump   ...   writes injector 0's pre-encoded UPDATE stream to a file
 *
 * One process, one thread, epoll. Everything that is sent in bulk is encoded
 * before the first connection is opened, so the sender only calls send().
 * The result is one line of JSON on stdout. See README.md for its fields.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <linux/sockios.h>
#include <time.h>
#include <unistd.h>

/* One translation unit: everything is static, and the compiler sees all of the way of a prefix at once. In the order of use. */
#include "base.c"
#include "options.c"
#include "prefixes.c"
#include "sessions.c"
#include "encode.c"
#include "monitor-table.c"
#include "update-reader.c"
#include "lateness.c"
#include "session-io.c"
#include "sample.c"
#include "loop.c"
#include "phases.c"
#include "churn.c"
#include "deaf.c"
#include "run.c"
#include "mirror.c"

/* command line */

static const char usage[] =
"bgpblast run|mirror|dump [options]\n"
"  --dut ADDR:PORT      the DUT ([V6ADDR]:PORT makes everything IPv6); mirror: where to listen\n"
"  --dut-as N           its ASN (64512)\n"
"  --src ADDR           address of the first injector, then +1 (198.19.0.1)\n"
"  --mon-src ADDR       address of the first monitor, then +1 (198.19.128.1)\n"
"  --inj-as N --mon-as N  ASN of the first injector (100000) and monitor (65001), then +1\n"
"  --injectors N --monitors N --late N   sessions (1, 1, 0); late ones connect in phase join\n"
"  --prefixes N         per injector (1000)\n"
"  --stride N           injector i starts at prefix i*N: 0 all the same, default all distinct\n"
"  --mix internet|pod26 prefix lengths and attributes (internet)\n"
"  --pack internet|N    prefixes that share one attribute set (internet: long-tailed, mean 5.5)\n"
"  --rr                 iBGP sessions to a route reflector\n"
"  --mesh               injectors are iBGP peers and no clients, monitors are eBGP\n"
"  --watchers N --watch-src ADDR --watch-as N  sessions with hold time 3 and no routes, whose keepalives are timed (0)\n"
"  --phases LIST        of load withdraw churn reset join refresh deaf idle none (load)\n"
"  --churn-rate N --churn-secs N --churn-hold S --churn-change\n"
"  --reset-count N      injectors that reset (1)\n"
"  --deaf N --deaf-secs S --deaf-rest S  so many monitors stop reading for so long (0, 10), and what is waited after (5)\n"
"  --nexthop self|orig|any  NEXT_HOP a monitor must see (self; with --rr orig)\n"
"  --window N           sessions under set-up at the same time (4; 0: all at once)\n"
"  --pause S            from the last session up to the first phase (0.5)\n"
"  --hold N --seed N --timeout S --stall S --quiet S\n"
"  --pids N,N,...       processes of the DUT to sample\n"
"  --file PATH          dump: where to\n"
"  --sink               mirror: discard UPDATEs\n"
"  --fault NAME:N       mirror: misbehave every Nth time (drop extra path noprepend nexthop communities)\n"
"  -v\n";

enum { O_DUT = 256, O_DUT_AS, O_SRC, O_MON_SRC, O_INJ_AS, O_MON_AS, O_INJ, O_MON, O_LATE, O_PFX, O_STRIDE,
       O_MIX, O_PACK, O_RR, O_PHASES, O_CRATE, O_CSECS, O_CHOLD, O_CCHANGE, O_RESET, O_NH, O_HOLD, O_SEED,
       O_TIMEOUT, O_STALL, O_QUIET, O_PAUSE, O_WINDOW, O_PIDS, O_FILE, O_SINK, O_FAULT,
       O_MESH, O_WATCHERS, O_WATCH_SRC, O_WATCH_AS, O_DEAF, O_DEAF_SECS, O_DEAF_REST };

int main(int argc, char **argv)
{
	static const struct option lo[] = {
		{ "dut", 1, 0, O_DUT }, { "dut-as", 1, 0, O_DUT_AS }, { "src", 1, 0, O_SRC },
		{ "mon-src", 1, 0, O_MON_SRC }, { "inj-as", 1, 0, O_INJ_AS }, { "mon-as", 1, 0, O_MON_AS },
		{ "injectors", 1, 0, O_INJ }, { "monitors", 1, 0, O_MON }, { "late", 1, 0, O_LATE },
		{ "prefixes", 1, 0, O_PFX }, { "stride", 1, 0, O_STRIDE }, { "mix", 1, 0, O_MIX },
		{ "pack", 1, 0, O_PACK }, { "rr", 0, 0, O_RR }, { "phases", 1, 0, O_PHASES },
		{ "churn-rate", 1, 0, O_CRATE }, { "churn-secs", 1, 0, O_CSECS }, { "churn-hold", 1, 0, O_CHOLD },
		{ "churn-change", 0, 0, O_CCHANGE }, { "reset-count", 1, 0, O_RESET }, { "nexthop", 1, 0, O_NH },
		{ "hold", 1, 0, O_HOLD }, { "seed", 1, 0, O_SEED }, { "timeout", 1, 0, O_TIMEOUT },
		{ "stall", 1, 0, O_STALL }, { "quiet", 1, 0, O_QUIET }, { "pause", 1, 0, O_PAUSE },
		{ "window", 1, 0, O_WINDOW }, { "pids", 1, 0, O_PIDS }, { "file", 1, 0, O_FILE }, { "sink", 0, 0, O_SINK },
		{ "fault", 1, 0, O_FAULT }, { "mesh", 0, 0, O_MESH }, { "watchers", 1, 0, O_WATCHERS },
		{ "watch-src", 1, 0, O_WATCH_SRC }, { "watch-as", 1, 0, O_WATCH_AS }, { "deaf", 1, 0, O_DEAF },
		{ "deaf-secs", 1, 0, O_DEAF_SECS }, { "deaf-rest", 1, 0, O_DEAF_REST }, { 0, 0, 0, 0 } };
	const char *cmd = argc > 1 ? argv[1] : "";
	const char *dut = "198.18.0.1:179", *src = "198.19.0.1", *msrc = "198.19.128.1", *wsrc = "198.19.192.1";
	char *s;
	int c;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2 || *cmd == '-') {
		fputs(usage, stderr);
		return 2;
	}
	argv[1] = argv[0];
	while ((c = getopt_long(argc - 1, argv + 1, "v", lo, NULL)) != -1)
		switch (c) {
		case O_DUT: dut = optarg; break;
		case O_DUT_AS: opt.dut_as = (uint32_t)strtoul(optarg, 0, 10); break;
		case O_SRC: src = optarg; break;
		case O_MON_SRC: msrc = optarg; break;
		case O_INJ_AS: opt.inj_as = (uint32_t)strtoul(optarg, 0, 10); break;
		case O_MON_AS: opt.mon_as = (uint32_t)strtoul(optarg, 0, 10); break;
		case O_INJ: opt.injectors = (unsigned)atoi(optarg); break;
		case O_MON: opt.monitors = (unsigned)atoi(optarg); break;
		case O_LATE: opt.late = (unsigned)atoi(optarg); break;
		case O_PFX: opt.prefixes = (uint32_t)strtoul(optarg, 0, 10); break;
		case O_STRIDE: opt.stride = (uint32_t)strtoul(optarg, 0, 10); break;
		case O_MIX: opt.mix = optarg; break;
		case O_PACK: opt.pack = optarg; break;
		case O_RR: opt.ibgp = true; break;
		case O_PHASES: opt.phases = optarg; break;
		case O_CRATE: opt.churn_rate = atof(optarg); break;
		case O_CSECS: opt.churn_secs = atof(optarg); break;
		case O_CHOLD: opt.churn_hold = atof(optarg); break;
		case O_CCHANGE: opt.churn_change = true; break;
		case O_RESET: opt.reset_count = (unsigned)atoi(optarg); break;
		case O_NH: opt.nexthop = optarg; break;
		case O_HOLD: opt.hold = (unsigned)atoi(optarg); break;
		case O_SEED: opt.seed = strtoull(optarg, 0, 10); break;
		case O_TIMEOUT: opt.timeout = atof(optarg); break;
		case O_STALL: opt.stall = atof(optarg); break;
		case O_QUIET: opt.quiet = atof(optarg); break;
		case O_PAUSE: opt.pause = atof(optarg); break;
		case O_WINDOW: opt.window = (unsigned)atoi(optarg); break;
		case O_PIDS:
			for (s = strtok(optarg, ","); s && opt.npids < 64; s = strtok(NULL, ","))
				opt.pids[opt.npids++] = atoi(s);
			break;
		case O_FILE: opt.file = optarg; break;
		case O_SINK: opt.sink = true; break;
		case O_FAULT:
			opt.fault = strtok(optarg, ":");
			s = strtok(NULL, ":");
			opt.fault_n = s ? (unsigned)atoi(s) : 1000;
			break;
		case O_MESH: opt.mesh = true; break;
		case O_WATCHERS: opt.watchers = (unsigned)atoi(optarg); break;
		case O_WATCH_SRC: wsrc = optarg; break;
		case O_WATCH_AS: opt.watch_as = (uint32_t)strtoul(optarg, 0, 10); break;
		case O_DEAF: opt.deaf = (unsigned)atoi(optarg); break;
		case O_DEAF_SECS: opt.deaf_secs = atof(optarg); break;
		case O_DEAF_REST: opt.deaf_rest = atof(optarg); break;
		case 'v': opt.verbose = true; break;
		default: fputs(usage, stderr); return 2;
		}
	opt.dut = sa_parse(dut);
	opt.src = sa_parse(src);
	opt.mon_src = sa_parse(msrc);
	opt.watch_src = sa_parse(wsrc);
	v6 = opt.dut.s.sa_family == AF_INET6;
	if (opt.stride == UINT32_MAX)
		opt.stride = opt.prefixes;
	if (!opt.nexthop)
		opt.nexthop = opt.ibgp ? "orig" : "self";
	if (opt.injectors >= OWNER)
		die("too many injectors");
	if (opt.mesh && (opt.ibgp || opt.stride < opt.prefixes))
		die("--mesh: no --rr, and prefixes with one owner each (--stride)");
	if (opt.hold < 3 || opt.dut.s.sa_family != opt.src.s.sa_family || opt.dut.s.sa_family != opt.mon_src.s.sa_family)
		die("bad --hold, or addresses of different families");
	if (!strcmp(cmd, "run"))
		return cmd_run();
	if (!strcmp(cmd, "mirror"))
		return cmd_mirror();
	if (!strcmp(cmd, "dump"))
		return cmd_dump();
	fputs(usage, stderr);
	return 2;
}
