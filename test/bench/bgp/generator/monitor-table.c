/* what a monitor should have, and what it has */

/* The RFC 4271 9.1.2.2 steps that differ between our injectors: path length, then origin. */
static inline uint16_t rank_of(const struct injector *in, uint32_t idx)
{
	const struct aset *a = &in->sets[in->set_of[idx - in->start]];
	return (uint16_t)((a->path_len + variant[idx]) << 2 | a->origin);
}
static inline bool owns(const struct injector *in, uint32_t idx) { return idx - in->start < opt.prefixes; }

static void recompute(void)
{
	n_exp = 0;
	memset(exp_rank, 0xff, npfx * sizeof *exp_rank);
	for (unsigned i = 0; i < opt.injectors; i++)
		if (inj[i].active)
			for (uint32_t k = inj[i].start; k < inj[i].start + opt.prefixes; k++) {
				uint16_t rk = rank_of(&inj[i], k);
				if (rk < exp_rank[k])
					exp_rank[k] = rk;
			}
	for (uint32_t k = 0; k < npfx; k++)
		n_exp += exp_rank[k] != 0xffff;
	for (unsigned i = 0; i < nmon; i++) {
		struct monitor *m = &mon[i];
		m->n_present = m->n_good = m->n_fresh = 0;
		for (uint32_t k = 0; k < npfx; k++) {
			unsigned own = m->cur[k] & OWNER;
			m->cur[k] &= OWNER;
			if (!own)
				continue;
			m->n_present++;
			if (rank_of(&inj[own - 1], k) == exp_rank[k]) {
				m->cur[k] |= BEST;
				m->n_good++;
			}
		}
	}
}

/* Churn: one outstanding change per prefix, and who has not seen it yet. */
enum { K_NONE, K_WITHDRAW, K_ANNOUNCE, K_CHANGE, K_COUNT };
static struct pend { uint64_t t, mask; uint8_t kind; bool away; } *pend;	/* away: withdrawn for now */
static struct { uint64_t *v; size_t n, cap; } lat[K_COUNT];
static uint64_t pend_open;

static void pend_hit(unsigned m, uint32_t idx, unsigned kind, uint64_t t)
{
	struct pend *p = &pend[idx];
	if (p->kind != kind || !(p->mask >> m & 1))
		return;
	if (lat[kind].n == lat[kind].cap)
		lat[kind].v = xrealloc(lat[kind].v, (lat[kind].cap = lat[kind].cap * 2 + 1024) * 8);
	lat[kind].v[lat[kind].n++] = t - p->t;
	p->mask &= ~(1ull << m);
	if (!p->mask) {
		p->kind = K_NONE;
		pend_open--;
	}
}

struct path {			/* what one received UPDATE says */
	int inj;		/* -1: cannot tell */
	uint64_t hash, comm;
	uint8_t origin;
	bool has_as_path, first_as_ok, nexthop_ok, lp_ok, cluster;
	uint32_t originator;
};

static void mon_progress(struct monitor *m, uint64_t t, bool falling)
{
	for (unsigned i = 0; i < FRAC_N; i++)
		if (!m->t_frac[i] && (falling ? m->n_present <= npfx * (1 - frac_at[i])
					      : m->n_present >= npfx * frac_at[i]))
			m->t_frac[i] = t;
}

static void mon_announce(struct monitor *m, uint32_t idx, const struct path *pa, uint64_t t)
{
	/* In a mesh no AS in the path tells the injector; who owns the prefix must have sent it. */
	int from = opt.mesh ? (int)(idx / opt.stride) : pa->inj;
	const struct injector *in = from >= 0 ? &inj[from] : NULL;
	const struct aset *a;
	unsigned old = m->cur[idx], own = old & OWNER;
	bool current;

	if (!in || !owns(in, idx)) {
		if (!bad_path++)
			err("monitor %u: prefix from an injector that never announced it", m->s.idx);
		return;
	}
	a = &in->sets[in->set_of[idx - in->start]];
	current = pa->hash == a->hash[variant[idx]];
	if (!current && pa->hash != a->hash[!variant[idx]]) {
		if (!bad_path++)
			err("monitor %u: AS_PATH differs from what injector %d announced", m->s.idx, from);
		return;
	}
	if (pa->origin != a->origin || pa->comm != a->comm) {
		if (!bad_comm++)
			err("monitor %u: ORIGIN or communities differ from what was announced", m->s.idx);
	}
	if (!own)
		m->n_present++;
	else if (own == (unsigned)from + 1)
		m->dup += current && pend && pend[idx].kind == K_NONE;
	else
		m->changed++;
	if (!(old & FRESH))
		m->n_fresh++;
	if (old & BEST)
		m->n_good--;
	old = ((unsigned)from + 1) | FRESH;
	if (current && rank_of(in, idx) == exp_rank[idx]) {
		old |= BEST;
		m->n_good++;
	}
	m->cur[idx] = (uint16_t)old;
	if (pend && current) {
		if (pend[idx].kind == K_ANNOUNCE)
			pend_hit(m->s.idx, idx, K_ANNOUNCE, t);
		else if (pend[idx].kind == K_CHANGE)
			pend_hit(m->s.idx, idx, K_CHANGE, t);
	}
}

static void mon_withdraw(struct monitor *m, uint32_t idx, uint64_t t)
{
	unsigned old = m->cur[idx];
	if (!(old & OWNER))
		return;
	m->n_present--;
	if (old & BEST)
		m->n_good--;
	if (old & FRESH)
		m->n_fresh--;
	m->cur[idx] = 0;
	if (pend)
		pend_hit(m->s.idx, idx, K_WITHDRAW, t);
}
