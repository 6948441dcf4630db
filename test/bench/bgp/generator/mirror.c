/* mirror: the null DUT */

/*
 * Accepts any peer and passes every UPDATE on to all the others at once, with
 * the AS_PATH and NEXT_HOP a real speaker would send, but with no RIB and no
 * decision. What the harness measures against it is the harness's own limit.
 * With --sink it discards instead. With --fault it misbehaves on purpose.
 */
struct mpeer {
	int fd;
	uint32_t rid;
	uint8_t rem[MSG_MAX];
	unsigned remlen;
	struct buf out;
	size_t pos;
	bool up, want_out, paused, is_watch;
	struct mpeer *next;
};
static struct mpeer *mpeers;
static bool m_throttled;
enum { HIGH_WATER = 8 << 20, LOW_WATER = 2 << 20 };

static void m_watch(struct mpeer *p)
{
	bool out = p->pos < p->out.len;
	bool pause = m_throttled && p->up;
	if (p->want_out == out && p->paused == pause)
		return;
	p->want_out = out;
	p->paused = pause;
	struct epoll_event e = { .events = (pause ? 0 : EPOLLIN) | (out ? EPOLLOUT : 0), .data.ptr = p };
	epoll_ctl(ep, EPOLL_CTL_MOD, p->fd, &e);
}

static void m_flush(struct mpeer *p)
{
	while (p->pos < p->out.len) {
		ssize_t k = send(p->fd, p->out.p + p->pos, p->out.len - p->pos, MSG_NOSIGNAL);
		if (k <= 0)
			break;
		p->pos += (size_t)k;
	}
	if (p->pos == p->out.len)
		p->pos = p->out.len = 0;
}

static bool fault(const char *name)
{
	static unsigned count;
	return opt.fault && !strcmp(opt.fault, name) && ++count % opt.fault_n == 0;
}

/* The outgoing form of an UPDATE: one message, or two when the longer path does not fit. */
static size_t m_rewrite(const struct mpeer *from, const uint8_t *b, size_t n, uint8_t *out)
{
	size_t nwd = be16(b), nat = be16(b + 2 + nwd);
	const uint8_t *a = b + 4 + nwd, *ae = a + nat, *nl = ae, *ne = b + n;
	uint8_t *m = out, *p = put_hdr(m, UPDATE), *alen;
	p = putn(p, b, 2 + nwd);
	alen = p;
	p += 2;
	while (a < ae) {
		unsigned fl = a[0], type = a[1], h = fl & 0x10 ? 4 : 3;
		size_t len = fl & 0x10 ? be16(a + 2) : a[2];
		const uint8_t *v = a + h;
		if (type == A_AS_PATH && !opt.ibgp && !fault("noprepend")) {
			p = put8(p, 0x40), p = put8(p, A_AS_PATH), p = put8(p, (unsigned)(len ? len + 4 : 6));
			p = put8(p, 2), p = put8(p, (len ? v[1] : 0u) + 1u), p = put32(p, opt.dut_as);
			if (len)
				p = putn(p, v + 2, len - 2);
			if (fault("path"))
				p[-1] ^= 1;
		} else if (type == A_NEXT_HOP && !opt.ibgp && !fault("nexthop")) {
			p = putn(p, a, h), p = putn(p, sa_bytes(&opt.dut), 4);
		} else if (type == A_COMMUNITY && fault("communities")) {
			;
		} else if (type == A_MP_REACH && !opt.ibgp) {
			size_t skip = h + 4u;
			p = putn(p, a, skip), p = putn(p, sa_bytes(&opt.dut), 16);
			p = putn(p, a + skip + 16, h + len - skip - 16);
		} else if (type == A_MED && !opt.ibgp) {
			;
		} else {
			p = putn(p, a, h + len);
		}
		a = v + len;
	}
	if (opt.ibgp && nat) {
		p = put8(p, 0x80), p = put8(p, A_ORIGINATOR), p = put8(p, 4), p = put32(p, from->rid);
		p = put8(p, 0x80), p = put8(p, A_CLUSTER_LIST), p = put8(p, 4), p = put32(p, sa_rid(&opt.dut));
	}
	put16(alen, (unsigned)(p - alen - 2));
	uint8_t *attrs_end = p;
	while (nl < ne) {
		size_t k = 1 + (nl[0] + 7u) / 8;
		if (p + k > m + MSG_MAX) {		/* start a second message with the same attributes */
			uint8_t *m2 = p;
			set_len(m, p);
			p = put_hdr(m2, UPDATE);
			p = put16(p, 0);
			p = putn(p, alen, (size_t)(attrs_end - alen));
			m = m2;
		}
		if (!fault("drop"))
			p = putn(p, nl, k);
		if (fault("extra"))
			p = put8(p, 32), p = put32(p, 0x01020304);
		nl += k;
	}
	set_len(m, p);
	return (size_t)(p - out);
}

/* Whether the peer speaks of IPv6: a watcher speaks of the other family than everybody else, and is told nothing. */
static bool m_family(const uint8_t *b, size_t n)
{
	for (size_t i = 10; i + 6 <= n; i++)	/* the capability as enc_open writes it */
		if (b[i] == 1 && b[i + 1] == 4 && b[i + 2] == 0 && b[i + 4] == 0 && b[i + 5] == 1)
			return b[i + 3] == 2;
	return v6;
}

static void m_message(struct mpeer *p, unsigned type, const uint8_t *b, size_t n)
{
	uint8_t m[3 * MSG_MAX];
	size_t k;
	switch (type) {
	case OPEN:
		p->rid = be32(b + 5);
		p->is_watch = m_family(b, n) != v6;
		k = enc_open(m, opt.dut_as, sa_rid(&opt.dut), m_family(b, n), opt.hold);
		buf_add(&p->out, m, k);
		put_hdr(m, KEEPALIVE);
		put16(m + 16, HDR);
		buf_add(&p->out, m, HDR);
		break;
	case KEEPALIVE:		/* answered, which is all our peer's hold timer needs */
		p->up = true;
		put_hdr(m, KEEPALIVE);
		put16(m + 16, HDR);
		buf_add(&p->out, m, HDR);
		break;
	case UPDATE:
		if (opt.sink || n <= 4 || p->is_watch)
			break;
		k = m_rewrite(p, b, n, m);
		for (struct mpeer *q = mpeers; q; q = q->next)
			if (q != p && q->up && !q->is_watch && q->fd >= 0) {
				buf_add(&q->out, m, k);
				if (q->out.len - q->pos > HIGH_WATER)
					m_throttled = true;
			}
		break;
	}
}

static void m_readable(struct mpeer *p)
{
	static uint8_t rb[256 * 1024];
	const uint8_t *q = rb, *end;
	memcpy(rb, p->rem, p->remlen);
	ssize_t k = recv(p->fd, rb + p->remlen, sizeof rb - p->remlen, 0);
	if (k <= 0) {
		if (k < 0 && errno == EAGAIN)
			return;
		close(p->fd);		/* kept in the list; the run is about to end */
		p->fd = -1;
		p->up = false;
		return;
	}
	end = rb + p->remlen + k;
	while (end - q >= HDR && end - q >= be16(q + 16)) {
		m_message(p, q[18], q + HDR, be16(q + 16) - HDR);
		q += be16(q + 16);
	}
	p->remlen = (unsigned)(end - q);
	memcpy(p->rem, q, p->remlen);
}

static int cmd_mirror(void)
{
	int one = 1, ls = socket(opt.dut.s.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL }, ev[256];
	setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(ls, &opt.dut.s, sa_slen(&opt.dut)) || listen(ls, 1024))
		die("listen: %s", strerror(errno));
	ep = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);
	for (;;) {
		int n = epoll_wait(ep, ev, 256, -1);
		for (int i = 0; i < n; i++) {
			struct mpeer *p = ev[i].data.ptr;
			if (!p) {
				int fd = accept4(ls, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
				if (fd < 0)
					continue;
				setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
				p = xcalloc(1, sizeof *p);
				p->fd = fd;
				p->next = mpeers;
				mpeers = p;
				e = (struct epoll_event){ .events = EPOLLIN, .data.ptr = p };
				epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
			} else if (p->fd >= 0 && ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
				m_readable(p);
			}
		}
		bool full = false;
		for (struct mpeer *p = mpeers; p; p = p->next) {
			if (p->fd < 0)
				continue;
			m_flush(p);
			full |= p->out.len - p->pos > LOW_WATER;
		}
		m_throttled = m_throttled && full;
		for (struct mpeer *p = mpeers; p; p = p->next)
			if (p->fd >= 0)
				m_watch(p);
	}
}
