/* small helpers */

#define NSEC 1000000000ull
#define NEVER UINT64_MAX
#define MSG_MAX 4096
#define HDR 19
#define SETUP_TIMEOUT (5 * NSEC)	/* of one attempt to bring a session up */

enum { OPEN = 1, UPDATE = 2, NOTIFICATION = 3, KEEPALIVE = 4, ROUTE_REFRESH = 5 };
enum { A_ORIGIN = 1, A_AS_PATH = 2, A_NEXT_HOP = 3, A_MED = 4, A_LOCAL_PREF = 5,
       A_ATOMIC = 6, A_AGGREGATOR = 7, A_COMMUNITY = 8, A_ORIGINATOR = 9,
       A_CLUSTER_LIST = 10, A_MP_REACH = 14, A_MP_UNREACH = 15, A_LARGE_COMM = 32 };

static uint64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC + (uint64_t)ts.tv_nsec;
}

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("bgpblast: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(2);
}

static void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		die("out of memory (%zu bytes)", n);
	return p;
}

static void *xcalloc(size_t n, size_t sz)
{
	void *p = calloc(n ? n : 1, sz);
	if (!p)
		die("out of memory");
	return p;
}

static inline uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline uint8_t *put8(uint8_t *p, unsigned v) { *p = (uint8_t)v; return p + 1; }
static inline uint8_t *put16(uint8_t *p, unsigned v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; return p + 2; }
static inline uint8_t *put32(uint8_t *p, uint32_t v) { put16(p, v >> 16); return put16(p + 2, v & 0xffff); }
static inline uint8_t *putn(uint8_t *p, const void *s, size_t n) { memcpy(p, s, n); return p + n; }

static inline uint64_t mix64(uint64_t x)	/* splitmix64 finalizer */
{
	x ^= x >> 30; x *= 0xbf58476d1ce4e5b9ull;
	x ^= x >> 27; x *= 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

struct rng { uint64_t s; };
static uint64_t rnd(struct rng *r) { r->s += 0x9e3779b97f4a7c15ull; return mix64(r->s); }
static uint32_t rnd_below(struct rng *r, uint32_t n) { return (uint32_t)((rnd(r) >> 32) * n >> 32); }

/* Pick an index from a table of weights. */
static unsigned rnd_pick(struct rng *r, const unsigned *w, unsigned n)
{
	unsigned sum = 0, x, i;
	for (i = 0; i < n; i++)
		sum += w[i];
	x = rnd_below(r, sum);
	for (i = 0; x >= w[i]; i++)
		x -= w[i];
	return i;
}

/* A growable byte buffer. */
struct buf { uint8_t *p; size_t len, cap; };
static uint8_t *buf_room(struct buf *b, size_t n)
{
	if (b->len + n > b->cap) {
		b->cap = (b->len + n) * 2;
		b->p = xrealloc(b->p, b->cap);
	}
	return b->p + b->len;
}
static void buf_add(struct buf *b, const void *s, size_t n) { memcpy(buf_room(b, n), s, n); b->len += n; }

/* An IPv4 or IPv6 socket address; hosts are numbered from a base address. */
union sa { struct sockaddr s; struct sockaddr_in v4; struct sockaddr_in6 v6; };

static union sa sa_parse(const char *str)	/* "1.2.3.4:179", "[::1]:179", or no port */
{
	union sa a;
	char host[64];
	const char *port = NULL, *end;
	memset(&a, 0, sizeof a);
	if (*str == '[') {
		end = strchr(++str, ']');
		if (!end)
			die("bad address: %s", str);
		if (end[1] == ':')
			port = end + 2;
	} else {
		const char *c = strchr(str, ':');
		if (c && !strchr(c + 1, ':'))
			end = c, port = c + 1;
		else
			end = str + strlen(str);
	}
	snprintf(host, sizeof host, "%.*s", (int)(end - str), str);
	if (inet_pton(AF_INET, host, &a.v4.sin_addr) == 1)
		a.v4.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, host, &a.v6.sin6_addr) == 1)
		a.v6.sin6_family = AF_INET6;
	else
		die("bad address: %s", host);
	a.v4.sin_port = htons((uint16_t)(port ? atoi(port) : 0));	/* same offset in both */
	return a;
}
static union sa sa_plus(union sa a, uint32_t n)
{
	uint8_t *p = a.s.sa_family == AF_INET ? (uint8_t *)&a.v4.sin_addr : (uint8_t *)&a.v6.sin6_addr + 12;
	put32(p, be32(p) + n);
	return a;
}
static const uint8_t *sa_bytes(const union sa *a)
{
	return a->s.sa_family == AF_INET ? (const uint8_t *)&a->v4.sin_addr : (const uint8_t *)&a->v6.sin6_addr;
}
static size_t sa_alen(const union sa *a) { return a->s.sa_family == AF_INET ? 4 : 16; }
static socklen_t sa_slen(const union sa *a) { return a->s.sa_family == AF_INET ? sizeof a->v4 : sizeof a->v6; }

/* Router id: the IPv4 address, or the low 32 bits of the IPv6 one. */
static uint32_t sa_rid(const union sa *a) { return be32(sa_bytes(a) + sa_alen(a) - 4); }

/* JSON, appended to one buffer. */
static struct buf jb;
__attribute__((format(printf, 1, 2)))
static void jraw(const char *fmt, ...)
{
	va_list ap;
	char *s;
	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	buf_add(&jb, s, strlen(s));
	free(s);
}
static void jname(const char *name)
{
	if (jb.len && !strchr("{[", jb.p[jb.len - 1]))
		jraw(",");
	if (name)
		jraw("\"%s\":", name);
}
static void jopen(const char *name, char c) { jname(name); jraw("%c", c); }
static void jclose(char c) { jraw("%c", c); }
static void jint(const char *name, uint64_t v) { jname(name); jraw("%llu", (unsigned long long)v); }
static void jdbl(const char *name, double v) { jname(name); jraw("%.6f", v); }
static void jbool(const char *name, bool v) { jname(name); jraw(v ? "true" : "false"); }
static void jstr(const char *name, const char *v)
{
	jname(name);
	jraw("\"");
	for (; *v; v++)
		jraw((*v == '"' || *v == '\\') ? "\\%c" : (unsigned char)*v < ' ' ? " " : "%c", *v);
	jraw("\"");
}
/* Seconds from a to b, or null when b never happened. */
static void jsec(const char *name, uint64_t a, uint64_t b)
{
	jname(name);
	if (!b || b == NEVER)
		jraw("null");
	else
		jraw("%.6f", (double)(int64_t)(b - a) / 1e9);
}
