/* options */

static struct {
	union sa dut, src, mon_src, watch_src;
	uint32_t dut_as, inj_as, mon_as, watch_as;	/* injector i is inj_as + i; the others likewise */
	unsigned injectors, monitors, late;	/* late: monitors that only the join phase connects */
	uint32_t prefixes, stride;		/* injector i owns [i*stride, i*stride + prefixes) */
	const char *mix, *pack;
	bool ibgp;				/* route-reflector role: all sessions in dut_as */
	bool mesh;				/* injectors in dut_as and no clients; monitors outside */
	unsigned watchers;			/* sessions whose keepalives are timed */
	uint64_t seed;
	unsigned hold;
	const char *phases;
	double timeout, stall, quiet, pause;
	unsigned window;			/* sessions that may be under set-up at once; 0: any number */
	double churn_rate, churn_secs, churn_hold;
	bool churn_change;
	unsigned reset_count;
	unsigned deaf;				/* monitors that stop reading in phase deaf */
	double deaf_secs, deaf_rest;
	const char *nexthop;			/* self | orig | any */
	int pids[64];
	unsigned npids;
	const char *file;
	bool verbose;
	/* mirror */
	bool sink;
	const char *fault;
	unsigned fault_n;
} opt = {
	.dut_as = 64512, .inj_as = 100000, .mon_as = 65001, .injectors = 1, .monitors = 1,
	.prefixes = 1000, .stride = UINT32_MAX, .mix = "internet", .pack = "internet",
	.seed = 1, .hold = 90, .phases = "load", .timeout = 100, .stall = 30, .quiet = 1,
	.pause = 0.5, .window = 4, .churn_rate = 200, .churn_secs = 10, .churn_hold = 1, .reset_count = 1,
	.watch_as = 70000, .deaf_secs = 10, .deaf_rest = 5,
};

static bool v6;	/* NLRI family; follows the transport's family */
