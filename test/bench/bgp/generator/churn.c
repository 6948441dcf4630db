/*
 * Churn. A flap is a withdrawal and, churn_hold seconds later, the same
 * announcement again; with --churn-change it is one announcement with another
 * AS_PATH instead. Each change is one UPDATE with one prefix in its own send().
 */
static struct {
	struct rng r;
	uint64_t next, end, step, nflaps, late;
	struct { uint32_t idx; unsigned in; uint64_t due; } *fifo;
	size_t head, tail;
	unsigned rr;
	uint64_t mask;
} ch;

static void churn_send(unsigned i, uint32_t idx, unsigned kind)
{
	struct injector *in = &inj[i];
	if (kind == K_WITHDRAW)
		enc_withdraw(&in->s.q, &pfx_key[idx], 1);
	else
		enc_announce(&in->s.q, in, &in->sets[in->set_of[idx - in->start]], variant[idx], &pfx_key[idx], 1);
	pend[idx] = (struct pend){ now_ns(), ch.mask, (uint8_t)kind, kind == K_WITHDRAW };
	pend_open++;
	flush_out(&in->s);
}

static uint64_t churn_timer(uint64_t t)
{
	uint64_t next = NEVER;
	for (; ch.next <= t && ch.next < ch.end; ch.next += ch.step) {
		unsigned i = ch.rr++ % opt.injectors;
		uint32_t idx = 0;
		for (int tries = 0; tries < 50; tries++) {	/* one with nothing outstanding */
			idx = inj[i].start + rnd_below(&ch.r, opt.prefixes);
			if (pend[idx].kind == K_NONE && !pend[idx].away)
				break;
			idx = UINT32_MAX;
		}
		if (idx == UINT32_MAX) {
			ch.late++;
			continue;
		}
		ch.nflaps++;
		if (opt.churn_change) {
			variant[idx] ^= 1;
			exp_rank[idx] = rank_of(&inj[i], idx);
			churn_send(i, idx, K_CHANGE);
			continue;
		}
		churn_send(i, idx, K_WITHDRAW);
		ch.fifo[ch.tail].idx = idx;
		ch.fifo[ch.tail].in = i;
		ch.fifo[ch.tail++].due = t + (uint64_t)(opt.churn_hold * 1e9);
	}
	/* The re-announcement waits (5 s at most) until everybody saw the withdrawal. */
	while (ch.head < ch.tail && ch.fifo[ch.head].due <= t) {
		uint32_t idx = ch.fifo[ch.head].idx;
		if (pend[idx].kind != K_NONE) {
			if (t - pend[idx].t < 5 * NSEC)
				return min64(ch.next < ch.end ? ch.next : NEVER, t + NSEC / 1000);
			pend_open--;
		}
		churn_send(ch.fifo[ch.head].in, idx, K_ANNOUNCE);
		ch.head++;
	}
	if (ch.next < ch.end)
		next = ch.next;
	if (ch.head < ch.tail)
		next = min64(next, ch.fifo[ch.head].due);
	return next;
}

static bool churn_cond(void)
{
	return ch.next >= ch.end && ch.head == ch.tail && !pend_open;
}

static void j_latency(const char *name, uint64_t *v, size_t n)
{
	static const struct { const char *n; double q; } at[] = {
		{ "p50_ms", .5 }, { "p90_ms", .9 }, { "p99_ms", .99 }, { "p999_ms", .999 }, { "max_ms", 1 } };
	double sum = 0;
	if (!n)
		return;
	qsort(v, n, sizeof *v, cmp_u64);
	for (size_t i = 0; i < n; i++)
		sum += (double)v[i];
	jopen(name, '{');
	jint("n", n);
	jdbl("mean_ms", sum / (double)n / 1e6);
	for (unsigned i = 0; i < sizeof at / sizeof *at; i++)
		jdbl(at[i].n, (double)v[(size_t)((double)(n - 1) * at[i].q)] / 1e6);
	jclose('}');
}

static void ph_churn(void)
{
	struct sample s0 = take_sample(false);
	uint64_t total = (uint64_t)(opt.churn_rate * opt.churn_secs) + 1, lost_ev = 0, *all;
	size_t n = 0, k;
	bool ok;

	if (opt.stride < opt.prefixes && opt.injectors > 1)
		die("churn needs prefixes with one owner (--stride)");
	if (!nmon || nmon > 64)
		die("churn needs 1 to 64 monitors");
	pend = xcalloc(npfx, sizeof *pend);
	ch.fifo = xcalloc(total + 16, sizeof *ch.fifo);
	ch.r.s = opt.seed + 99;
	for (unsigned i = 0; i < nmon; i++)
		if (mon[i].s.state == S_UP)
			ch.mask |= 1ull << i;
	phase_begin();
	ch.step = (uint64_t)(1e9 / opt.churn_rate);
	ch.next = t_phase + ch.step;
	ch.end = t_phase + (uint64_t)(opt.churn_secs * 1e9);
	timer_fn = churn_timer;
	ok = pump(churn_cond, ch.end + (uint64_t)((opt.churn_hold + 8) * 1e9));
	timer_fn = NULL;
	for (uint32_t i = 0; i < npfx; i++)
		lost_ev += pend[i].kind != K_NONE;
	if (lost_ev)
		err("churn: %llu changes never arrived", (unsigned long long)lost_ev);
	free(pend);
	pend = NULL;
	recompute();
	ok = phase_end("churn", &s0, ok && !lost_ev);
	jint("flaps", ch.nflaps);
	jint("skipped", ch.late);
	jint("lost", lost_ev);
	for (k = 0; k < K_COUNT; k++)
		n += lat[k].n;
	all = xcalloc(n, sizeof *all);
	for (k = n = 0; k < K_COUNT; n += lat[k++].n)
		memcpy(all + n, lat[k].v, lat[k].n * sizeof *all);
	j_latency("withdraw", lat[K_WITHDRAW].v, lat[K_WITHDRAW].n);
	j_latency("announce", lat[K_ANNOUNCE].v, lat[K_ANNOUNCE].n);
	j_latency("change", lat[K_CHANGE].v, lat[K_CHANGE].n);
	j_latency("all", all, n);
	jclose('}');
	free(all);
}
