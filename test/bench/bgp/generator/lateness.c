/* how late the DUT's keepalives come */

/*
 * A watcher is a session with the shortest hold time and a family in which
 * nothing is announced, so it costs the DUT nothing but keepalives. Due is one
 * a third of the hold time after the last message (RFC 4271 4.4); late is what
 * passes beyond. That includes the time until we read it, some milliseconds.
 */
enum { WATCH_HOLD = 3 };
static struct { uint64_t *v; size_t n, cap, phase; } late;	/* phase: n when the phase began */

static void late_add(uint64_t gap, unsigned hold)
{
	uint64_t due = hold * NSEC / 3;
	if (late.n == late.cap)
		late.v = xrealloc(late.v, (late.cap = late.cap * 2 + 1024) * sizeof *late.v);
	late.v[late.n++] = gap > due ? gap - due : 0;
}

static void late_note(struct session *s, uint64_t t)
{
	late_add(t - s->t_msg, s->hold);
	s->t_msg = t;
}

/* At the end of a phase: what is overdue counts, too. */
static void late_end(uint64_t t)
{
	for (unsigned i = 0; i < opt.watchers; i++)
		if (watcher[i].state == S_UP && t - watcher[i].t_msg > watcher[i].hold * NSEC / 3)
			late_add(t - watcher[i].t_msg, watcher[i].hold);
}

static int cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* The latest of those since `from`, worst first: enough for the p99.9 of 50,000, over several runs. */
static void j_late(const char *name, size_t from)
{
	enum { WORST = 50 };
	size_t n = late.n - from;
	uint64_t *v;
	if (!opt.watchers)
		return;
	v = xcalloc(n, sizeof *v);
	memcpy(v, late.v + from, n * sizeof *v);
	qsort(v, n, sizeof *v, cmp_u64);
	jopen(name, '{');
	jint("n", n);
	jint("lost", n_watch_lost);
	jopen("worst_ms", '[');
	for (size_t i = 0; i < n && i < WORST; i++)
		jdbl(NULL, (double)v[n - 1 - i] / 1e6);
	jclose(']');
	jclose('}');
	free(v);
}
