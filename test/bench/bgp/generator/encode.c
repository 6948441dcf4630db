/* encoding */

static uint8_t *put_hdr(uint8_t *p, unsigned type)	/* the length is patched in later */
{
	memset(p, 0xff, 16);
	p[18] = (uint8_t)type;
	return p + HDR;
}
static void set_len(uint8_t *msg, uint8_t *end) { put16(msg + 16, (unsigned)(end - msg)); }

static size_t enc_open(uint8_t *m, uint32_t asn, uint32_t rid, bool six, unsigned hold)
{
	uint8_t *p = put_hdr(m, OPEN), *plen;
	p = put8(p, 4);
	p = put16(p, asn > 65535 ? 23456 : asn);
	p = put16(p, hold);
	p = put32(p, rid);
	plen = p;
	p += 3;					/* opt params length, type, length */
	p = put8(p, 1), p = put8(p, 4);		/* multiprotocol */
	p = put16(p, six ? 2 : 1), p = put16(p, 1);
	p = put8(p, 2), p = put8(p, 0);		/* route refresh */
	p = put8(p, 65), p = put8(p, 4), p = put32(p, asn);
	plen[0] = (uint8_t)(p - plen - 1);
	plen[1] = 2;
	plen[2] = (uint8_t)(p - plen - 3);
	set_len(m, p);
	return (size_t)(p - m);
}

static uint64_t path_hash_step(uint64_t h, uint32_t asn) { return mix64(h ^ asn) + 0x2545f4914f6cdd1dull; }

static uint64_t bytes_hash(uint64_t h, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h;
}

static int cmp_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/*
 * One attribute set. "internet": the mix of a transit feed (paths of 1-6 ASNs,
 * MED on a quarter, 0-12 communities, a few large ones). "pod26": what a
 * cluster node sends (path of just its own ASN, nothing else).
 */
static void make_set(struct injector *in, struct aset *a, struct rng *r)
{
	static const unsigned w_len[] = { 2, 12, 30, 30, 17, 9 };	/* path of 1..6 */
	static const unsigned w_com[] = { 25, 15, 15, 12, 10, 8, 5, 4, 3, 1, 1, 0, 1 };
	bool plain = !strcmp(opt.mix, "pod26"), internal = opt.ibgp || opt.mesh;
	uint32_t path[8], com[16], n = 0, nc;
	uint8_t *base = buf_room(&in->attrs, 512), *p = base, *q;
	uint64_t h = 0;

	if (!internal)
		path[n++] = in->s.asn;
	if (!plain) {
		unsigned total = 1 + rnd_pick(r, w_len, 6);
		while (n < total) {
			if (n && rnd_below(r, 100) < 6)
				path[n] = path[n - 1];			/* prepending */
			else
				path[n] = rnd_below(r, 100) < 70 ? 1 + rnd_below(r, 63000)
								 : 131072 + rnd_below(r, 280000);
			if (path[n] == 23456)
				path[n]--;
			n++;
		}
	}
	a->origin = plain || rnd_below(r, 100) < 88 ? 0 : 2;
	a->path_len = (uint8_t)n;

	p = put8(p, 0x40), p = put8(p, A_ORIGIN), p = put8(p, 1), p = put8(p, a->origin);
	a->as_path_off = (uint16_t)(p - base);
	p = put8(p, 0x40), p = put8(p, A_AS_PATH), p = put8(p, n ? 2 + 4 * n : 0);
	if (n)
		p = put8(p, 2), p = put8(p, n);
	for (uint32_t i = 0; i < n; i++)
		p = put32(p, path[i]);
	for (uint32_t i = 0; i < n; i++)
		h = path_hash_step(h, path[i]);
	a->hash[0] = h;
	h = path_hash_step(0, in->s.asn);
	for (uint32_t i = 0; i < n; i++)
		h = path_hash_step(h, path[i]);
	a->hash[1] = h;

	if (!v6)
		p = put8(p, 0x40), p = put8(p, A_NEXT_HOP), p = put8(p, 4), p = putn(p, sa_bytes(&in->s.src), 4);
	if (!plain && !internal && rnd_below(r, 100) < 25)
		p = put8(p, 0x80), p = put8(p, A_MED), p = put8(p, 4), p = put32(p, rnd_below(r, 500));
	if (internal)
		p = put8(p, 0x40), p = put8(p, A_LOCAL_PREF), p = put8(p, 4), p = put32(p, 100);
	if (!plain && rnd_below(r, 100) < 2) {
		p = put8(p, 0x40), p = put8(p, A_ATOMIC), p = put8(p, 0);
		p = put8(p, 0xc0), p = put8(p, A_AGGREGATOR), p = put8(p, 8);
		p = put32(p, n ? path[n - 1] : in->s.asn), p = put32(p, 0xc0000201 + rnd_below(r, 200));
	}
	a->comm = 0;
	nc = plain ? 0 : rnd_pick(r, w_com, 13);
	if (nc) {		/* sorted and distinct, so that a daemon that sorts changes nothing */
		for (uint32_t i = 0; i < nc; i++)
			com[i] = (1 + rnd_below(r, 64000)) << 16 | rnd_below(r, 10000);
		qsort(com, nc, sizeof *com, cmp_u32);
		for (uint32_t i = 1; i < nc; i++)
			if (com[i] <= com[i - 1])
				com[i] = com[i - 1] + 1;
		p = put8(p, 0xc0), p = put8(p, A_COMMUNITY), p = put8(p, 4 * nc);
		q = p;
		for (uint32_t i = 0; i < nc; i++)
			p = put32(p, com[i]);
		a->comm = bytes_hash(a->comm + A_COMMUNITY, q, (size_t)(p - q));
	}
	if (!plain && rnd_below(r, 100) < 8) {
		p = put8(p, 0xc0), p = put8(p, A_LARGE_COMM), p = put8(p, 12);
		q = p;
		p = put32(p, path[0]), p = put32(p, rnd_below(r, 1000)), p = put32(p, rnd_below(r, 1000));
		a->comm = bytes_hash(a->comm + A_LARGE_COMM, q, (size_t)(p - q));
	}
	a->attr_off = (uint32_t)in->attrs.len;
	a->attr_len = (uint16_t)(p - base);
	in->attrs.len += a->attr_len;
}

/* Prefixes that share one attribute set: a fixed count, or a long-tailed draw (mean about 5.5). */
static uint32_t pack_len(struct rng *r)
{
	static const unsigned w[] = { 500, 200, 150, 100, 40, 10 };
	static const uint32_t lo[] = { 1, 2, 3, 6, 16, 61 }, hi[] = { 1, 2, 5, 15, 60, 250 };
	if (strcmp(opt.pack, "internet"))
		return (uint32_t)atoi(opt.pack);
	unsigned k = rnd_pick(r, w, 6);
	return lo[k] + rnd_below(r, hi[k] - lo[k] + 1);
}

/* An UPDATE announcing the keys [k, k+n) as far as one message holds; returns how many. */
static uint32_t enc_announce(struct buf *b, const struct injector *in, const struct aset *a, bool var,
			     const uint64_t *k, uint32_t n)
{
	uint8_t *m = buf_room(b, MSG_MAX + 64), *p = put_hdr(m, UPDATE), *attrs, *mp = NULL;
	const uint8_t *src = in->attrs.p + a->attr_off;
	uint32_t i;

	p = put16(p, 0);
	attrs = p;
	p += 2;
	if (!var) {
		p = putn(p, src, a->attr_len);
	} else {		/* insert one ASN right after the segment header */
		unsigned o = a->as_path_off;
		p = putn(p, src, o);
		p = put8(p, src[o]), p = put8(p, A_AS_PATH);
		if (a->path_len) {
			p = put8(p, src[o + 2] + 4u), p = put8(p, 2), p = put8(p, src[o + 4] + 1u);
			p = put32(p, in->s.asn);
			p = putn(p, src + o + 5, a->attr_len - o - 5u);
		} else {
			p = put8(p, 6), p = put8(p, 2), p = put8(p, 1), p = put32(p, in->s.asn);
			p = putn(p, src + o + 3, a->attr_len - o - 3u);
		}
	}
	if (v6) {
		p = put8(p, 0x90), p = put8(p, A_MP_REACH);
		mp = p;
		p += 2;
		p = put16(p, 2), p = put8(p, 1), p = put8(p, 16);
		p = putn(p, sa_bytes(&in->s.src), 16), p = put8(p, 0);
	} else {
		put16(attrs, (unsigned)(p - attrs - 2));
	}
	for (i = 0; i < n && p + 9 <= m + MSG_MAX; i++)
		p = put_prefix(p, k[i]);
	if (v6) {
		put16(mp, (unsigned)(p - mp - 2));
		put16(attrs, (unsigned)(p - attrs - 2));
	}
	set_len(m, p);
	b->len += (size_t)(p - m);
	return i;
}

static uint32_t enc_withdraw(struct buf *b, const uint64_t *k, uint32_t n)
{
	uint8_t *m = buf_room(b, MSG_MAX + 64), *p = put_hdr(m, UPDATE), *attrs = p, *mp = NULL;
	uint32_t i;
	p += 2;
	if (v6) {
		put16(attrs, 0);
		attrs = p;
		p += 2;
		p = put8(p, 0x90), p = put8(p, A_MP_UNREACH);
		mp = p;
		p += 2;
		p = put16(p, 2), p = put8(p, 1);
	}
	for (i = 0; i < n && p + 11 <= m + MSG_MAX; i++)
		p = put_prefix(p, k[i]);
	if (v6)
		put16(mp, (unsigned)(p - mp - 2));
	put16(attrs, (unsigned)(p - attrs - 2));
	if (!v6)
		p = put16(p, 0);
	set_len(m, p);
	b->len += (size_t)(p - m);
	return i;
}

static void enc_eor(struct buf *b)
{
	uint8_t *m = buf_room(b, 64), *p = put_hdr(m, UPDATE);
	p = put16(p, 0);
	if (v6) {
		p = put16(p, 6), p = put8(p, 0x80), p = put8(p, A_MP_UNREACH), p = put8(p, 3);
		p = put16(p, 2), p = put8(p, 1);
	} else {
		p = put16(p, 0);
	}
	set_len(m, p);
	b->len += (size_t)(p - m);
}

static void build_injector(struct injector *in)
{
	struct rng r = { opt.seed * 7919 + in->s.idx };
	const uint64_t *keys = pfx_key + in->start;
	uint32_t cap = 0, i, n;

	in->set_of = xcalloc(opt.prefixes, sizeof *in->set_of);
	for (i = 0; i < opt.prefixes;) {
		uint32_t len = pack_len(&r);
		if (len < 1)
			die("bad --pack");
		if (len > opt.prefixes - i)
			len = opt.prefixes - i;
		if (in->nsets == cap)
			in->sets = xrealloc(in->sets, (cap = cap * 2 + 16) * sizeof *in->sets);
		struct aset *a = &in->sets[in->nsets];
		make_set(in, a, &r);
		for (uint32_t j = 0; j < len; j++)
			in->set_of[i + j] = in->nsets;
		for (n = 0; n < len;)
			n += enc_announce(&in->ann, in, a, false, keys + i + n, len - n);
		in->nsets++;
		i += len;
	}
	enc_eor(&in->ann);
	for (i = 0; i < opt.prefixes;)
		i += enc_withdraw(&in->wd, keys + i, opt.prefixes - i);
}
