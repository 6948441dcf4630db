/* session I/O */

static void watch(struct session *s, bool out)
{
	struct epoll_event e = { .events = (s->deaf ? 0 : EPOLLIN) | (out ? EPOLLOUT : 0), .data.ptr = s };
	if (s->want_out != out) {
		s->want_out = out;
		epoll_ctl(ep, EPOLL_CTL_MOD, s->fd, &e);
	}
}

static void set_deaf(struct session *s, bool deaf)
{
	s->deaf = deaf;
	s->want_out = !s->want_out;	/* so that watch() tells epoll */
	watch(s, !s->want_out);
}

static void down(struct session *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->remlen = 0;
	s->bulk_left = s->q.len = s->q_pos = 0;
	s->want_out = false;
	if (s->state == S_UP)
		n_up--;
	else if (s->state >= S_CONNECTING)
		n_pending--;
	s->state = S_OFF;
}

/* Ask for a session; pump() connects it when the set-up window has room. */
static void want(struct session *s)
{
	s->t_start = s->t_up = s->t_retry = 0;
	s->state = S_RETRY;
	n_wanted++;
}

static void lost(struct session *s, const char *why)
{
	if (s->state == S_UP && s->is_watch) {	/* counted; what the others measure is worth having */
		n_watch_lost++;
		n_wanted--;
		down(s);
		return;
	}
	if (s->state == S_UP && in_setup) {
		n_setup_drops++;
	} else if (s->state == S_UP) {
		n_drops++;
		err("%s: session lost: %s %s", sname(s), why, notif);
		down(s);
		fatal = true;
		return;
	}
	down(s);
	s->retries++;
	s->state = S_RETRY;
	s->t_retry = now_ns() + (errno == ECONNREFUSED ? NSEC / 50 : NSEC / 10);
}

static void flush_out(struct session *s)
{
	size_t budget = 256 * 1024;	/* so that one fast reader does not keep us from reading */
	while (s->bulk_left || s->q_pos < s->q.len) {
		bool bulk = s->bulk_left > 0;
		const uint8_t *p = bulk ? s->bulk : s->q.p + s->q_pos;
		size_t n = bulk ? s->bulk_left : s->q.len - s->q_pos;
		if (!budget) {
			watch(s, true);
			return;
		}
		ssize_t k = send(s->fd, p, n < budget ? n : budget, MSG_NOSIGNAL);
		if (k < 0) {
			if (errno == EAGAIN) {
				watch(s, true);
				return;
			}
			lost(s, strerror(errno));
			return;
		}
		s->tx_bytes += (size_t)k;
		budget -= (size_t)k;
		if (bulk) {
			s->bulk += k;
			s->bulk_left -= (size_t)k;
			if (!s->bulk_left)
				s->t_bulk_done = s->t_tx = now_ns();
		} else if ((s->q_pos += (size_t)k) == s->q.len) {
			s->q_pos = s->q.len = 0;
			s->t_tx = now_ns();
		}
	}
	watch(s, false);
}

static void send_small(struct session *s, unsigned type)
{
	uint8_t m[64], *p = put_hdr(m, type);
	if (type == ROUTE_REFRESH)
		p = put16(p, v6 ? 2 : 1), p = put8(p, 0), p = put8(p, 1);
	if (type == NOTIFICATION)
		p = put8(p, 6), p = put8(p, 4);		/* Cease, administrative reset */
	set_len(m, p);
	buf_add(&s->q, m, (size_t)(p - m));
}

static void start_bulk(struct session *s, const struct buf *b)
{
	s->bulk = b->p;
	s->bulk_left = b->len;
	s->t_bulk_done = s->t_bulk_acked = 0;
	flush_out(s);
}

static void start_connect(struct session *s)
{
	int one = 1;
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = s };
	s->fd = socket(opt.dut.s.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		die("socket: %s", strerror(errno));
	setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (s->is_mon && s->idx < opt.deaf) {	/* what it does not read shall be the DUT's burden, not the kernel's */
		int small = 64 * 1024;
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	}
	setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	if (bind(s->fd, &s->src.s, sa_slen(&s->src)))
		die("bind: %s", strerror(errno));
	if (!s->t_start)
		s->t_start = now_ns();
	s->state = S_CONNECTING;
	n_pending++;
	s->t_tx = now_ns();
	s->want_out = true;
	if (connect(s->fd, &opt.dut.s, sa_slen(&opt.dut)) && errno != EINPROGRESS) {
		lost(s, strerror(errno));
		return;
	}
	epoll_ctl(ep, EPOLL_CTL_ADD, s->fd, &e);
}

static void connected(struct session *s)
{
	int e = 0;
	socklen_t l = sizeof e;
	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &e, &l);
	if (e) {
		errno = e;
		lost(s, strerror(e));
		return;
	}
	uint8_t m[128];
	size_t n = enc_open(m, s->asn, sa_rid(&s->src), v6 != s->is_watch, s->is_watch ? WATCH_HOLD : opt.hold);
	buf_add(&s->q, m, n);
	s->state = S_OPENSENT;
	s->t_rx = s->t_tx = now_ns();
	flush_out(s);
}

/* Checks the DUT's OPEN: its ASN, and that it speaks 4-octet ASNs and our family. */
static bool check_open(struct session *s, const uint8_t *b, size_t n)
{
	uint32_t as;
	bool as4 = false, mp = false;
	if (n < 10 || b[0] != 4)
		return false;
	as = be16(b + 1);
	s->hold = be16(b + 3);
	const uint8_t *p = b + 10, *end = b + n;
	while (p + 2 <= end) {			/* optional parameters */
		const uint8_t *c = p + 2, *ce = c + p[1];
		if (ce > end)
			return false;
		for (; p[0] == 2 && c + 2 <= ce; c += 2 + c[1]) {
			if (c + 2 + c[1] > ce)
				return false;
			if (c[0] == 65 && c[1] == 4)
				as4 = true, as = be32(c + 2);
			if (c[0] == 1 && c[1] == 4 && be16(c + 2) == (v6 != s->is_watch ? 2 : 1) && c[5] == 1)
				mp = true;
		}
		p = ce;
	}
	if (as != opt.dut_as || !as4 || !mp)
		err("%s: OPEN: AS %u, 4-octet AS %d, family %d", sname(s), as, as4, mp);
	if (s->hold > (s->is_watch ? WATCH_HOLD : opt.hold))
		s->hold = s->is_watch ? WATCH_HOLD : opt.hold;
	return as == opt.dut_as && as4 && mp;
}

static void handle(struct session *s, unsigned type, const uint8_t *b, size_t n, uint64_t t)
{
	switch (type) {
	case OPEN:
		if (s->state != S_OPENSENT)
			break;
		if (!check_open(s, b, n)) {
			fatal = true;
			break;
		}
		s->state = S_OPENCONFIRM;
		send_small(s, KEEPALIVE);
		break;
	case KEEPALIVE:
		if (s->state == S_OPENCONFIRM) {
			s->state = S_UP;
			s->t_up = t;
			n_up++;
			n_pending--;
			s->t_msg = t;
			if (s->is_mon)
				enc_eor(&s->q);
		} else if (s->is_watch && s->state == S_UP) {
			late_note(s, t);
		}
		break;
	case UPDATE:
		s->rx_updates++;
		if (s->is_watch) {	/* an End-of-RIB: the family is not one that routes are announced in */
			s->t_msg = t;
			break;
		}
		if (n > 4 && !(v6 && n == 10))	/* not an End-of-RIB */
			t_last_update = t;
		if (s->is_mon)
			mon_update(&mon[s->idx], b, n, t);
		else
			inj_update(&inj[s->idx], b, n);
		break;
	case NOTIFICATION:
		snprintf(notif, sizeof notif, "(NOTIFICATION %d/%d)", n > 0 ? b[0] : -1, n > 1 ? b[1] : -1);
		break;
	case ROUTE_REFRESH:
		s->refreshes++;
		if (!s->is_mon && !s->is_watch && inj[s->idx].active && !s->bulk_left)
			start_bulk(s, &inj[s->idx].ann);
		break;
	}
}

static void readable(struct session *s)
{
	static uint8_t rb[512 * 1024];
	const uint8_t *p = rb, *end;
	uint64_t t;

	memcpy(rb, s->rem, s->remlen);
	ssize_t k = recv(s->fd, rb + s->remlen, sizeof rb - s->remlen, 0);
	t = now_ns();
	if (k <= 0) {
		if (k < 0 && errno == EAGAIN)
			return;
		lost(s, k ? strerror(errno) : "closed by the DUT");
		return;
	}
	s->rx_bytes += (size_t)k;
	s->t_rx = t;
	end = rb + s->remlen + k;
	while (end - p >= HDR) {
		unsigned len = be16(p + 16);
		uint64_t mk[2];
		memcpy(mk, p, 16);
		if ((mk[0] & mk[1]) != UINT64_MAX || len < HDR || len > MSG_MAX) {
			err("%s: bad message header", sname(s));
			bad_msg++;
			fatal = true;
			return;
		}
		if (end - p < (ptrdiff_t)len)
			break;
		handle(s, p[18], p + HDR, len - HDR, t);
		if (s->fd < 0)
			return;
		p += len;
	}
	s->remlen = (unsigned)(end - p);
	memcpy(s->rem, p, s->remlen);
	if (s->q.len && !s->want_out)
		flush_out(s);
}
