/* NLRI bytes -> keys; returns the count, or -1 when malformed. */
static int parse_nlri(const uint8_t *p, size_t n, uint64_t *keys)
{
	const uint8_t *end = p + n;
	int c = 0;
	unsigned max = v6 ? 56 : 32;
	while (p < end) {
		unsigned len = *p++, bytes = (len + 7) / 8;
		uint64_t a = 0;
		if (len > max || p + bytes > end)
			return -1;
		for (unsigned i = 0; i < bytes; i++)
			a |= (uint64_t)p[i] << (56 - 8 * i);
		if (len && len < 64 && a << len)	/* host bits set */
			return -1;
		keys[c++] = (v6 ? a : a >> 24) | len;
		p += bytes;
	}
	return c;
}

/* Keys -> indexes, with the table's cache misses overlapped. UINT32_MAX: unknown. */
static void lookup(const uint64_t *keys, int n, uint32_t *idx)
{
	for (int i = 0; i < n; i++)
		__builtin_prefetch(&ht[key_hash(keys[i]) & ht_mask]);
	for (int i = 0; i < n; i++) {
		uint64_t h = key_hash(keys[i]) & ht_mask;
		while (ht[h].key && ht[h].key != keys[i])
			h = (h + 1) & ht_mask;
		idx[i] = ht[h].key ? ht[h].idx : UINT32_MAX;
	}
}

static bool parse_attrs(const uint8_t *p, size_t n, struct path *pa,
			const uint8_t **reach, size_t *nreach, const uint8_t **unreach, size_t *nunreach)
{
	const uint8_t *end = p + n;
	const uint8_t *com = NULL, *lcom = NULL;
	size_t ncom = 0, nlcom = 0;
	while (p < end) {
		if (end - p < 3)
			return false;
		unsigned fl = p[0], type = p[1];
		size_t len = fl & 0x10 ? (end - p < 4 ? (size_t)-1 : be16(p + 2)) : p[2];
		p += fl & 0x10 ? 4 : 3;
		if (len > (size_t)(end - p))
			return false;
		switch (type) {
		case A_ORIGIN:
			pa->origin = *p;
			break;
		case A_AS_PATH: {
			const uint8_t *s = p, *se = p + len;
			unsigned pos = 0;
			pa->has_as_path = true;
			pa->hash = 0;
			pa->first_as_ok = opt.ibgp;
			while (s + 2 <= se) {
				unsigned st = s[0], cnt = s[1];
				s += 2;
				if (st != 2 || s + 4 * cnt > se)
					return false;
				for (; cnt; cnt--, s += 4, pos++) {
					uint32_t as = be32(s);
					if (!opt.ibgp && pos == 0) {
						pa->first_as_ok = as == opt.dut_as;
						continue;
					}
					if (!opt.ibgp && !opt.mesh && pos == 1)
						pa->inj = as - opt.inj_as < opt.injectors ? (int)(as - opt.inj_as) : -1;
					pa->hash = path_hash_step(pa->hash, as);
				}
			}
			if (s != se)
				return false;
			break;
		}
		case A_NEXT_HOP:
			pa->nexthop_ok = len == 4 && (opt.nexthop[0] == 'a' ||
				(opt.nexthop[0] == 's' && !memcmp(p, sa_bytes(&opt.dut), 4)) ||
				(opt.nexthop[0] == 'o' && be32(p) - sa_rid(&opt.src) < opt.injectors));
			break;
		case A_LOCAL_PREF:
			pa->lp_ok = len == 4 && be32(p) == 100;
			break;
		case A_COMMUNITY:
			com = p, ncom = len;
			break;
		case A_LARGE_COMM:
			lcom = p, nlcom = len;
			break;
		case A_ORIGINATOR:
			if (len == 4)
				pa->originator = be32(p);
			break;
		case A_CLUSTER_LIST:
			pa->cluster = len >= 4;
			break;
		case A_MP_REACH:
			if (len < 5 || be16(p) != 2 || p[2] != 1 || len < 5u + p[3])
				return false;
			pa->nexthop_ok = p[3] >= 16 && (opt.nexthop[0] == 'a' ||
				(opt.nexthop[0] == 's' && !memcmp(p + 4, sa_bytes(&opt.dut), 16)) ||
				(opt.nexthop[0] == 'o' && be32(p + 16) - sa_rid(&opt.src) < opt.injectors));
			*reach = p + 5 + p[3], *nreach = len - 5u - p[3];
			break;
		case A_MP_UNREACH:
			if (len < 3)
				return false;
			*unreach = p + 3, *nunreach = len - 3;
			break;
		}
		p += len;
	}
	if (ncom)
		pa->comm = bytes_hash(pa->comm + A_COMMUNITY, com, ncom);
	if (nlcom)
		pa->comm = bytes_hash(pa->comm + A_LARGE_COMM, lcom, nlcom);
	return true;
}

static void mon_update(struct monitor *m, const uint8_t *b, size_t n, uint64_t t)
{
	static uint64_t keys[MSG_MAX];
	static uint32_t idx[MSG_MAX];
	const uint8_t *wd, *at, *nl, *reach = NULL, *unreach = NULL;
	size_t nwd, nat, nnl, nreach = 0, nunreach = 0;
	struct path pa = { .inj = -1 };
	int c;

	if (n < 4 || (nwd = be16(b)) > n - 4 || (nat = be16(b + 2 + nwd)) > n - 4 - nwd)
		goto malformed;
	wd = b + 2, at = wd + nwd + 2, nl = at + nat, nnl = n - 4 - nwd - nat;
	if (!parse_attrs(at, nat, &pa, &reach, &nreach, &unreach, &nunreach))
		goto malformed;
	if (v6)
		wd = unreach, nwd = nunreach, nl = reach, nnl = nreach;
	if (nwd) {
		if ((c = parse_nlri(wd, nwd, keys)) < 0)
			goto malformed;
		lookup(keys, c, idx);
		for (int i = 0; i < c; i++) {
			if (idx[i] == UINT32_MAX)
				unknown_pfx++;
			else
				mon_withdraw(m, idx[i], t);
		}
		m->withdrawn += (unsigned)c;
		m->t_last = t;
		if (!m->t_first)
			m->t_first = t;
		mon_progress(m, t, true);
	}
	if (nnl) {
		if ((c = parse_nlri(nl, nnl, keys)) < 0)
			goto malformed;
		if (opt.ibgp) {
			pa.inj = pa.originator - sa_rid(&opt.src) < opt.injectors
				? (int)(pa.originator - sa_rid(&opt.src)) : -1;
			if ((!pa.cluster || !pa.lp_ok || pa.inj < 0) && !bad_reflect++)
				err("monitor %u: reflected route lacks ORIGINATOR_ID, CLUSTER_LIST or LOCAL_PREF", m->s.idx);
		}
		if ((!pa.has_as_path || !pa.first_as_ok) && !bad_path++)
			err("monitor %u: the DUT's ASN is not first in AS_PATH", m->s.idx);
		if (!pa.nexthop_ok && !bad_nexthop++)
			err("monitor %u: wrong NEXT_HOP (expected: %s)", m->s.idx, opt.nexthop);
		lookup(keys, c, idx);
		for (int i = 0; i < c; i++) {
			if (idx[i] == UINT32_MAX) {
				if (!unknown_pfx++)
					err("monitor %u: a prefix that nobody announced", m->s.idx);
			} else {
				mon_announce(m, idx[i], &pa, t);
			}
		}
		m->nlri += (unsigned)c;
		m->t_last = t;
		if (!m->t_first)
			m->t_first = t;
		mon_progress(m, t, false);
	}
	if (!m->t_all && m->n_present == n_exp)
		m->t_all = t;
	if (!m->t_best && m->n_present == n_exp && m->n_good == n_exp)
		m->t_best = t;
	return;
malformed:
	if (!bad_msg++)
		err("monitor %u: malformed UPDATE", m->s.idx);
}

/* What the DUT sends back to an injector is only counted. */
static int nlri_count(const uint8_t *p, size_t n)
{
	int c = 0;
	for (size_t i = 0; i < n; i += 1 + (p[i] + 7u) / 8)
		c++;
	return c;
}
static void inj_update(struct injector *in, const uint8_t *b, size_t n)
{
	size_t nwd, nat;
	if (n < 4 || (nwd = be16(b)) > n - 4 || (nat = be16(b + 2 + nwd)) > n - 4 - nwd) {
		bad_msg++;
		return;
	}
	if (!v6) {
		in->rx_nlri += nlri_count(b + 4 + nwd + nat, n - 4 - nwd - nat) - nlri_count(b + 2, nwd);
		return;
	}
	struct path pa = { .inj = -1 };
	const uint8_t *reach = NULL, *unreach = NULL;
	size_t nreach = 0, nunreach = 0;
	if (!parse_attrs(b + 4 + nwd, nat, &pa, &reach, &nreach, &unreach, &nunreach))
		bad_msg++;
	in->rx_nlri += nlri_count(reach, nreach) - nlri_count(unreach, nunreach);
}
