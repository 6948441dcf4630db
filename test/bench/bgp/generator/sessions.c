/* sessions, injectors, monitors */

enum state { S_OFF, S_RETRY, S_CONNECTING, S_OPENSENT, S_OPENCONFIRM, S_UP };

struct session {
	int fd;
	enum state state;
	bool is_mon, is_watch, want_out, late;
	bool deaf;			/* nothing is read from it for now */
	unsigned idx;			/* among its own kind */
	uint32_t asn;
	union sa src;
	uint8_t rem[MSG_MAX];		/* an incomplete message */
	unsigned remlen;
	const uint8_t *bulk;		/* what remains of a pre-encoded stream */
	size_t bulk_left;
	struct buf q;			/* small messages; sent after the bulk */
	size_t q_pos;
	unsigned hold;			/* negotiated */
	uint64_t t_start, t_up, t_retry, t_rx, t_tx;
	uint64_t t_msg;			/* the last whole message; of watchers only */
	uint64_t t_bulk_done, t_bulk_acked;
	uint64_t rx_bytes, rx_updates, tx_bytes;
	unsigned retries, refreshes;
};

/* One distinct attribute set of one injector. */
struct aset {
	uint32_t attr_off;		/* encoded attributes, in injector.attrs */
	uint16_t attr_len, as_path_off;	/* as_path_off: of the AS_PATH attribute, inside them */
	uint8_t path_len, origin;
	uint64_t hash[2];		/* of the AS path as announced; [1]: one more prepend */
	uint64_t comm;			/* of COMMUNITIES and LARGE_COMMUNITY */
};

struct injector {
	struct session s;
	uint32_t start;			/* first prefix index */
	bool active;			/* its routes are expected */
	uint32_t *set_of;		/* [opt.prefixes] -> index into sets */
	struct aset *sets;
	uint32_t nsets;
	struct buf attrs, ann, wd;
	int64_t rx_nlri;		/* announced minus withdrawn, received back from the DUT */
};

#define BEST 0x8000u	/* the path seen is the one the decision process should pick */
#define FRESH 0x4000u	/* announced again since the last ROUTE-REFRESH */
#define OWNER 0x3fffu	/* injector index + 1, 0: not present */

enum { FRAC_N = 4 };
static const double frac_at[FRAC_N] = { 0.1, 0.5, 0.9, 0.99 };

struct monitor {
	struct session s;
	uint16_t *cur;			/* [npfx] OWNER | flags */
	uint32_t n_present, n_good, n_fresh;
	uint64_t nlri, withdrawn, dup, changed;	/* since the phase began */
	uint64_t t_first, t_last, t_all, t_best, t_frac[FRAC_N];
};

static struct injector *inj;
static struct monitor *mon;
static struct session *watcher;
static unsigned nmon;			/* monitors + late ones */
static uint32_t n_exp;			/* prefixes a monitor should have now */
static uint16_t *exp_rank;		/* [npfx] best rank; 0xffff: should be absent */
static uint8_t *variant;		/* [npfx] 1: announced with one more prepend */

static int ep;
static unsigned n_up, n_wanted;		/* sessions up, sessions that should be */
static unsigned n_pending;		/* sessions between connect() and up */
static bool in_setup;			/* a session lost now is only counted and retried */
static unsigned n_setup_drops;
static uint64_t t_last_update;		/* on any session */
static bool fatal;
static char errs[8][160];
static unsigned nerrs;
static unsigned n_watch_lost;
static uint64_t bad_path, bad_nexthop, bad_comm, bad_reflect, bad_msg, unknown_pfx, n_drops;
static char notif[160];

__attribute__((format(printf, 1, 2)))
static void err(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (nerrs < sizeof errs / sizeof *errs)
		vsnprintf(errs[nerrs], sizeof *errs, fmt, ap);
	va_end(ap);
	if (opt.verbose && nerrs < sizeof errs / sizeof *errs)
		fprintf(stderr, "bgpblast: %s\n", errs[nerrs]);
	nerrs++;
}

static const char *sname(const struct session *s)
{
	static char b[32];
	snprintf(b, sizeof b, "%s %u", s->is_watch ? "watcher" : s->is_mon ? "monitor" : "injector", s->idx);
	return b;
}
