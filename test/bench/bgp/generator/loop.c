/* the event loop */

static uint64_t t_deadline, next_tick;
static uint64_t (*timer_fn)(uint64_t t);	/* churn: runs what is due, returns when next */
static bool ack_watch;				/* waiting for TCP to acknowledge bulk data */
static uint64_t next_ack;

static struct session *session_at(unsigned i)
{
	if (i < opt.injectors)
		return &inj[i].s;
	i -= opt.injectors;
	return i < nmon ? &mon[i].s : &watcher[i - nmon];
}

static unsigned n_sessions(void) { return opt.injectors + nmon + opt.watchers; }

static void tick(uint64_t t)
{
	for (unsigned i = 0; i < n_sessions(); i++) {
		struct session *s = session_at(i);
		if (s->state == S_UP && s->hold) {
			/* a bulk transfer in progress is itself a sign of life */
			if (t - s->t_tx > s->hold * NSEC / 3 && !s->bulk_left && !s->q.len) {
				send_small(s, KEEPALIVE);
				flush_out(s);
			}
			if (s->state == S_UP && !s->deaf && t - s->t_rx > s->hold * NSEC)
				lost(s, "hold timer expired");
		}
		if (s->state >= S_CONNECTING && s->state < S_UP && t - s->t_tx > SETUP_TIMEOUT)
			lost(s, "set-up took too long");
	}
	if (opt.npids) {
		char path[64], *b, *q;
		snprintf(path, sizeof path, "/proc/%d/stat", opt.pids[0]);
		b = slurp(path);
		if (!b || ((q = strrchr(b, ')')) && q[2] == 'Z')) {
			err("the DUT's process ended");
			fatal = true;
		}
	}
}

static void poll_acks(uint64_t t)
{
	bool left = false;
	for (unsigned i = 0; i < opt.injectors; i++) {
		struct session *s = &inj[i].s;
		int q = 0;
		if (s->state != S_UP || s->t_bulk_acked)
			continue;
		if (!s->bulk_left && !ioctl(s->fd, SIOCOUTQ, &q) && !q)
			s->t_bulk_acked = t;
		else
			left = true;
	}
	ack_watch = left;
}

static uint64_t min64(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Runs until cond() holds. False: the deadline passed or something broke. */
static bool pump(bool (*cond)(void), uint64_t until)
{
	struct epoll_event ev[256];
	until = min64(until, t_deadline);
	for (;;) {
		uint64_t t = now_ns(), next, tm = NEVER;
		if (fatal)
			return false;
		if (cond && cond())
			return true;
		if (t >= until)
			return false;
		if (t >= next_tick) {
			tick(t);
			next_tick = t + NSEC / 4;
		}
		if (ack_watch && t >= next_ack) {
			poll_acks(t);
			next_ack = t + NSEC / 500;
		}
		if (n_up < n_wanted)
			for (unsigned i = 0; i < n_sessions(); i++) {
				struct session *s = session_at(i);
				if (s->state != S_RETRY)
					continue;
				if (opt.window && n_pending >= opt.window)
					break;
				if (s->t_retry <= t)
					start_connect(s);
				else
					tm = min64(tm, s->t_retry);
			}
		if (timer_fn)
			tm = min64(tm, timer_fn(t));
		next = min64(min64(until, next_tick), tm);
		if (ack_watch)
			next = min64(next, next_ack);
		t = now_ns();
		uint64_t d = next > t ? next - t : 0;
		struct timespec ts = { (time_t)(d / NSEC), (long)(d % NSEC) };
		int n = epoll_pwait2(ep, ev, 256, &ts, NULL);
		for (int i = 0; i < n; i++) {
			struct session *s = ev[i].data.ptr;
			if (s->fd < 0)
				continue;
			if (s->state == S_CONNECTING) {
				connected(s);
				continue;
			}
			if (ev[i].events & (EPOLLHUP | EPOLLERR) || (ev[i].events & EPOLLIN && !s->deaf))
				readable(s);
			if (s->fd >= 0 && ev[i].events & EPOLLOUT)
				flush_out(s);
		}
	}
}

static bool all_up(void) { return n_up == n_wanted; }

static bool mons_converged(void)
{
	for (unsigned i = 0; i < nmon; i++)
		if (mon[i].s.state == S_UP && !mon[i].s.deaf && !mon[i].t_best)
			return false;
	return true;
}

static int64_t fan_need;	/* NLRI every injector should have got back; 0: not checked */
static uint64_t fan_t;
static bool fan_done(void)
{
	if (fan_need <= 0 || fan_t)
		return true;
	for (unsigned i = 0; i < opt.injectors; i++)
		if (inj[i].s.state == S_UP && inj[i].rx_nlri < fan_need)
			return false;
	fan_t = now_ns();
	return true;
}

static bool bulk_done(void)
{
	for (unsigned i = 0; i < opt.injectors; i++)
		if (inj[i].s.state == S_UP && !inj[i].s.t_bulk_acked)
			return false;
	return true;
}

static uint64_t t_phase;
static bool stalled(void)
{
	uint64_t last = t_last_update > t_phase ? t_last_update : t_phase;
	return (double)(now_ns() - last) / 1e9 > opt.stall;
}
static bool load_cond(void) { return (bulk_done() && mons_converged() && fan_done()) || stalled(); }
static bool conv_cond(void) { return mons_converged() || stalled(); }
static bool quiet_cond(void)
{
	uint64_t last = t_last_update > t_phase ? t_last_update : t_phase;
	return (double)(now_ns() - last) / 1e9 >= opt.quiet;
}
static bool never(void) { return false; }

static void pause_for(double sec) { pump(never, now_ns() + (uint64_t)(sec * 1e9)); }
