/* phases */

static bool all_ok = true;

static void phase_begin(void)
{
	for (unsigned i = 0; i < nmon; i++) {
		struct monitor *m = &mon[i];
		m->nlri = m->withdrawn = m->dup = m->changed = 0;
		m->t_first = m->t_last = m->t_all = m->t_best = 0;
		memset(m->t_frac, 0, sizeof m->t_frac);
	}
	fan_t = 0;
	late.phase = late.n;
	t_phase = now_ns();
}

/* Waits until the DUT has gone quiet, then writes what every phase reports. */
static bool phase_end(const char *name, const struct sample *s0, bool reached)
{
	struct sample s1 = take_sample(false), s2;
	uint64_t first = NEVER, all_min = NEVER, all_max = 0, best = 0, last = 0, inject = 0, acked = 0;
	uint64_t frac[FRAC_N] = { 0 }, nlri = 0, wd = 0, dup = 0, changed = 0, rx = 0;
	uint32_t present_min = UINT32_MAX, good_min = UINT32_MAX;
	int64_t fan_min = INT64_MAX;
	bool ok = reached && !fatal;

	pump(quiet_cond, now_ns() + (uint64_t)((opt.quiet + 20) * 1e9));
	s2 = take_sample(true);
	for (unsigned i = 0; i < nmon; i++) {
		struct monitor *m = &mon[i];
		if (m->s.state != S_UP || m->s.deaf)
			continue;
		first = min64(first, m->t_first ? m->t_first : NEVER);
		all_min = min64(all_min, m->t_all ? m->t_all : NEVER);
		all_max = m->t_all ? (m->t_all > all_max ? m->t_all : all_max) : NEVER;
		best = m->t_best ? (m->t_best > best ? m->t_best : best) : NEVER;
		if (m->t_last > last)
			last = m->t_last;
		for (unsigned k = 0; k < FRAC_N; k++)
			if (m->t_frac[k] > frac[k])
				frac[k] = m->t_frac[k];
		nlri += m->nlri, wd += m->withdrawn, dup += m->dup, changed += m->changed;
		rx += m->s.rx_bytes;
		if (m->n_present < present_min)
			present_min = m->n_present;
		if (m->n_good < good_min)
			good_min = m->n_good;
		if (m->n_present != n_exp || m->n_good != n_exp) {
			ok = false;
			err("%s: monitor %u has %u prefixes, %u on the right path, of %u expected",
			    name, i, m->n_present, m->n_good, n_exp);
		}
	}
	for (unsigned i = 0; i < opt.injectors; i++) {
		struct session *s = &inj[i].s;
		if (s->t_bulk_done > inject)
			inject = s->t_bulk_done;
		if (s->t_bulk_acked > acked)
			acked = s->t_bulk_acked;
		if (inj[i].rx_nlri < fan_min)
			fan_min = inj[i].rx_nlri;
	}
	if (fan_need > 0 && !fan_t) {
		ok = false;
		err("%s: an injector got only %lld of the %lld prefixes of the others",
		    name, (long long)fan_min, (long long)fan_need);
	}
	for (unsigned i = 0; opt.mesh && i < opt.injectors; i++)
		if (inj[i].rx_nlri > 0 && ok) {
			ok = false;
			err("%s: a route of one iBGP peer was told to another", name);
		}
	if (!reached && !fatal)
		err("%s: not reached within the time allowed", name);
	jopen(NULL, '{');
	jstr("name", name);
	jbool("ok", ok);
	jint("expected", n_exp);
	if (nmon) {
		jint("present", present_min == UINT32_MAX ? 0 : present_min);
		jint("on_right_path", good_min == UINT32_MAX ? 0 : good_min);
		jsec("first_rx_s", t_phase, first);
		for (unsigned k = 0; k < FRAC_N; k++) {
			char nm[16];
			snprintf(nm, sizeof nm, "p%d_s", (int)(frac_at[k] * 100 + .5));
			jsec(nm, t_phase, frac[k]);
		}
		jsec("all_first_monitor_s", t_phase, all_min);
		jsec("all_s", t_phase, all_max);
		jsec("converged_s", t_phase, best);
		jsec("last_rx_s", t_phase, last);
		jint("mon_nlri", nlri);
		jint("mon_withdrawn", wd);
		jint("mon_duplicates", dup);
		jint("mon_path_changes", changed);
		jint("mon_rx_bytes_total", rx);
	}
	jsec("injected_s", t_phase, inject > t_phase ? inject : 0);
	jsec("acked_s", t_phase, acked > t_phase ? acked : 0);
	if (fan_need > 0) {
		jsec("fanout_s", t_phase, fan_t);
		jint("fanout_min", fan_min < 0 ? 0 : (uint64_t)fan_min);
		jint("fanout_need", (uint64_t)fan_need);
	}
	jsec("settled_s", t_phase, t_last_update > t_phase ? t_last_update : 0);
	j_cpu(s0, &s2);
	/* Up to convergence only: what the headline time was measured under. */
	double dut1 = s1.cpu - s0->cpu;
	double other1 = s1.busy - s0->busy - dut1 - (s1.self - s0->self);
	jdbl("dut_cpu_at_convergence_s", dut1);
	jdbl("gen_cpu_at_convergence_s", s1.self - s0->self);
	jdbl("foreign_cpu_at_convergence_s", other1 > 0 ? other1 : 0);
	jdbl("rss_mb", s2.rss);
	jdbl("hwm_mb", s2.hwm);
	jdbl("pss_mb", s2.pss);
	late_end(now_ns());
	j_late("keepalives", late.phase);
	fan_need = 0;
	if (!ok)
		all_ok = false;
	return ok;		/* the caller may add fields, then closes the object */
}

static void ph_load(const char *name)
{
	struct sample s0 = take_sample(false);
	bool ok;
	for (unsigned i = 0; i < opt.injectors; i++)
		inj[i].active = true, inj[i].rx_nlri = 0;
	memset(variant, 0, npfx);
	recompute();
	/* Each injector should get everybody else's prefixes; with shared prefixes who is best decides. */
	fan_need = nmon && !opt.mesh && opt.stride >= opt.prefixes && opt.injectors > 1 ? (int64_t)npfx - opt.prefixes : 0;
	phase_begin();
	for (unsigned i = 0; i < opt.injectors; i++)
		start_bulk(&inj[i].s, &inj[i].ann);
	ack_watch = true;
	ok = pump(load_cond, NEVER) && bulk_done() && mons_converged() && fan_done();
	phase_end(name, &s0, ok);
	jclose('}');
}

static void ph_withdraw(const char *name)
{
	struct sample s0 = take_sample(false);
	bool ok;
	for (unsigned i = 0; i < opt.injectors; i++)
		inj[i].active = false;
	recompute();
	phase_begin();
	for (unsigned i = 0; i < opt.injectors; i++)
		start_bulk(&inj[i].s, &inj[i].wd);
	ack_watch = true;
	ok = pump(load_cond, NEVER) && bulk_done() && mons_converged();
	phase_end(name, &s0, ok);
	jclose('}');
}

/* Monitors that were not there before: how fast does a new peer get the table? */
static void ph_join(void)
{
	struct sample s0 = take_sample(false);
	uint64_t up = 0;
	unsigned n = 0;
	bool ok;
	phase_begin();
	for (unsigned i = 0; i < opt.monitors; i++)
		mon[i].t_all = mon[i].t_best = t_phase;
	for (unsigned i = 0; i < nmon; i++)
		if (mon[i].s.late && mon[i].s.state == S_OFF) {
			want(&mon[i].s);
			n++;
		}
	ok = pump(all_up, NEVER);
	for (unsigned i = 0; i < nmon; i++)
		if (mon[i].s.late && mon[i].s.t_up > up)
			up = mon[i].s.t_up;
	ok = ok && pump(conv_cond, NEVER) && mons_converged();
	phase_end("join", &s0, ok);
	jint("joined", n);
	jsec("established_s", t_phase, up);
	jclose('}');
}

/* Every monitor asks for the table again. */
static bool fresh_cond(void)
{
	for (unsigned i = 0; i < nmon; i++)
		if (mon[i].s.state == S_UP && mon[i].n_fresh < n_exp)
			return stalled();
	return true;
}
static void ph_refresh(void)
{
	struct sample s0 = take_sample(false);
	uint64_t t;
	bool ok;
	recompute();			/* clears FRESH */
	phase_begin();
	for (unsigned i = 0; i < nmon; i++) {
		mon[i].t_all = mon[i].t_best = t_phase;
		if (mon[i].s.state == S_UP) {
			send_small(&mon[i].s, ROUTE_REFRESH);
			flush_out(&mon[i].s);
		}
	}
	ok = pump(fresh_cond, NEVER) && !stalled();
	t = now_ns();
	phase_end("refresh", &s0, ok);
	jsec("refreshed_s", t_phase, ok ? t : 0);
	jclose('}');
}

/* Some injectors drop their session, later come back with the same routes. */
static void ph_reset(void)
{
	struct sample s0 = take_sample(false), s1;
	unsigned k = opt.reset_count < opt.injectors ? opt.reset_count : opt.injectors;
	uint64_t t_up = 0;
	bool ok;

	for (unsigned i = 0; i < k; i++)
		inj[i].active = false;
	recompute();
	phase_begin();
	for (unsigned i = 0; i < k; i++) {
		send_small(&inj[i].s, NOTIFICATION);
		flush_out(&inj[i].s);
		down(&inj[i].s);
		n_wanted--;
	}
	for (unsigned i = 0; i < nmon; i++)	/* nothing to do when another path is as good */
		if (mon[i].n_present == n_exp && mon[i].n_good == n_exp)
			mon[i].t_all = mon[i].t_best = t_phase;
	ok = pump(conv_cond, NEVER) && mons_converged();
	phase_end("reset-down", &s0, ok);
	jint("sessions", k);
	jclose('}');
	if (fatal)
		return;

	s1 = take_sample(false);
	for (unsigned i = 0; i < k; i++)
		inj[i].active = true;
	recompute();
	phase_begin();
	for (unsigned i = 0; i < k; i++)
		want(&inj[i].s);
	ok = pump(all_up, NEVER);
	for (unsigned i = 0; ok && i < k; i++) {
		if (inj[i].s.t_up > t_up)
			t_up = inj[i].s.t_up;
		start_bulk(&inj[i].s, &inj[i].ann);
	}
	ack_watch = true;
	for (unsigned i = 0; i < nmon; i++)
		if (mon[i].n_present == n_exp && mon[i].n_good == n_exp)
			mon[i].t_all = mon[i].t_best = t_phase;
	ok = ok && pump(load_cond, NEVER) && bulk_done() && mons_converged();
	phase_end("reset-up", &s1, ok);
	jsec("established_s", t_phase, t_up);
	jclose('}');
}
