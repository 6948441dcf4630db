/* the universe of prefixes, and prefix -> index */

/*
 * A prefix is one 64-bit key. IPv4: address << 8 | length. IPv6: the address's
 * top 64 bits with the low byte replaced by the length (so length <= 56).
 */
static uint64_t *pfx_key;
static uint32_t npfx;

static struct slot { uint64_t key; uint32_t idx; } *ht;
static uint64_t ht_mask;

static inline uint64_t key_hash(uint64_t k) { k *= 0x9e3779b97f4a7c15ull; return k ^ k >> 32; }

static bool ht_insert(uint64_t key, uint32_t idx)
{
	uint64_t h = key_hash(key) & ht_mask;
	for (; ht[h].key; h = (h + 1) & ht_mask)
		if (ht[h].key == key)
			return false;
	ht[h] = (struct slot){ key, idx };
	return true;
}

static inline uint8_t *put_prefix(uint8_t *p, uint64_t key)
{
	unsigned len = key & 0xff, i;
	*p++ = (uint8_t)len;
	uint64_t a = v6 ? key : key << 24;	/* address left-aligned in 64 bits */
	for (i = 0; i < (len + 7) / 8; i++)
		*p++ = (uint8_t)(a >> (56 - 8 * i));
	return p;
}

static bool martian4(uint32_t a, unsigned len)
{
	static const struct { uint32_t a; unsigned l; } no[] = {
		{ 0x00000000, 8 }, { 0x0a000000, 8 }, { 0x64400000, 10 }, { 0x7f000000, 8 },
		{ 0xa9fe0000, 16 }, { 0xac100000, 12 }, { 0xc0000000, 24 }, { 0xc0000200, 24 },
		{ 0xc0a80000, 16 }, { 0xc6120000, 15 }, { 0xc6336400, 24 }, { 0xcb007100, 24 },
		{ 0xe0000000, 3 },
	};
	for (unsigned i = 0; i < sizeof no / sizeof *no; i++) {
		unsigned l = len < no[i].l ? len : no[i].l;	/* either covers the other */
		if (l == 0 || !((a ^ no[i].a) >> (32 - l)))
			return true;
	}
	return false;
}

/* Length shares of the public IPv4 and IPv6 tables, in tenths of a percent. */
static const unsigned len4[] = { 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24 };
static const unsigned w4[]   = { 0, 0, 0, 0, 1, 1, 1, 2, 14, 9, 14, 26, 46, 54, 112, 104, 616 };
static const unsigned len6[] = { 28, 29, 30, 32, 33, 34, 35, 36, 38, 39, 40, 41, 42, 44, 45, 46, 47, 48 };
static const unsigned w6[]   = { 2, 30, 4, 110, 16, 14, 6, 60, 8, 4, 90, 4, 26, 100, 8, 36, 30, 452 };

/* Adjacent same-length blocks in short runs at random places, as allocations look. */
static void gen_internet(struct rng *r)
{
	static const uint64_t v6_base[] = { 0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00 };
	for (uint32_t n = 0; n < npfx;) {
		unsigned len = v6 ? len6[rnd_pick(r, w6, sizeof w6 / sizeof *w6)]
				  : len4[rnd_pick(r, w4, sizeof w4 / sizeof *w4)];
		unsigned run = 1;
		while (run < 64 && rnd_below(r, 100) < 60)
			run++;
		uint64_t bits = v6 ? v6_base[rnd_below(r, 5)] << 48 | rnd(r) >> 8	/* 8 random bits after the base */
				   : (uint64_t)(uint32_t)rnd(r) << 32;
		bits &= ~0ull << (64 - len);
		for (; run && n < npfx; run--, bits += 1ull << (64 - len)) {
			uint64_t key = v6 ? bits | len : bits >> 24 | len;
			if (!v6 && martian4((uint32_t)(bits >> 32), len))
				break;
			if (ht_insert(key, n))
				pfx_key[n++] = key;
		}
	}
}

/* Calico-like IPAM blocks: /26 (or /122-alike /56) out of one pool, shuffled. */
static void gen_pods(struct rng *r)
{
	if (!v6 && npfx > 1u << 17)
		die("pod26: at most %u prefixes", 1u << 17);
	for (uint32_t i = 0; i < npfx; i++)
		pfx_key[i] = v6 ? 0xfd10000000000000ull | (uint64_t)i << 8 | 56
				: (uint64_t)(0x0a800000u + (i << 6)) << 8 | 26;
	for (uint32_t i = npfx; i > 1; i--) {
		uint32_t j = rnd_below(r, i);
		uint64_t t = pfx_key[i - 1];
		pfx_key[i - 1] = pfx_key[j];
		pfx_key[j] = t;
	}
	for (uint32_t i = 0; i < npfx; i++)
		ht_insert(pfx_key[i], i);
}

static void gen_prefixes(void)
{
	struct rng r = { opt.seed * 1000003 };
	uint64_t total = (uint64_t)(opt.injectors - 1) * opt.stride + opt.prefixes;
	if (!opt.injectors || !opt.prefixes)
		total = 0;
	if (total > 8000000)
		die("too many distinct prefixes: %llu", (unsigned long long)total);
	npfx = (uint32_t)total;
	for (ht_mask = 1024; ht_mask < npfx * 2ull; ht_mask *= 2)
		;
	ht = xcalloc(ht_mask--, sizeof *ht);
	pfx_key = xcalloc(npfx, sizeof *pfx_key);
	if (!strcmp(opt.mix, "internet"))
		gen_internet(&r);
	else if (!strcmp(opt.mix, "pod26"))
		gen_pods(&r);
	else
		die("unknown mix: %s", opt.mix);
}
