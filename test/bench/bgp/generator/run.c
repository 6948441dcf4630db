/* Nothing happens for a while: what do the sessions alone cost? */
static void ph_idle(void)
{
	struct sample s0 = take_sample(false), s1;
	pause_for(3);
	s1 = take_sample(true);
	jopen(NULL, '{');
	jstr("name", "idle");
	jbool("ok", !fatal);
	j_cpu(&s0, &s1);
	jdbl("rss_mb", s1.rss);
	jdbl("hwm_mb", s1.hwm);
	jdbl("pss_mb", s1.pss);
	jclose('}');
}

static void init_session(struct session *s, bool is_mon, unsigned i)
{
	s->fd = -1;
	s->is_mon = is_mon;
	s->idx = i;
	s->src = sa_plus(is_mon ? opt.mon_src : opt.src, i);
	s->asn = opt.ibgp || (opt.mesh && !is_mon) ? opt.dut_as : (is_mon ? opt.mon_as : opt.inj_as) + i;
}

static void build(void)
{
	gen_prefixes();
	inj = xcalloc(opt.injectors, sizeof *inj);
	for (unsigned i = 0; i < opt.injectors; i++) {
		init_session(&inj[i].s, false, i);
		inj[i].start = i * opt.stride;
		if (opt.prefixes)
			build_injector(&inj[i]);
	}
}

static int cmd_run(void)
{
	uint64_t t0 = now_ns(), t1, t_est_first = NEVER, t_est_last = 0, bytes = 0, sets = 0, *ests;
	struct sample start, est;
	unsigned retries = 0, n = 0;
	bool ok;
	char *phases = strdup(opt.phases);

	build();
	nmon = opt.monitors + opt.late;
	mon = xcalloc(nmon, sizeof *mon);
	exp_rank = xcalloc(npfx, sizeof *exp_rank);
	variant = xcalloc(npfx, 1);
	for (unsigned i = 0; i < nmon; i++) {
		init_session(&mon[i].s, true, i);
		mon[i].s.late = i >= opt.monitors;
		mon[i].cur = xcalloc(npfx, sizeof *mon[i].cur);
	}
	for (unsigned i = 0; i < opt.injectors; i++)
		bytes += inj[i].ann.len, sets += inj[i].nsets;
	watcher = xcalloc(opt.watchers, sizeof *watcher);
	for (unsigned i = 0; i < opt.watchers; i++) {
		watcher[i] = (struct session){ .fd = -1, .is_watch = true, .idx = i,
					       .asn = opt.watch_as + i, .src = sa_plus(opt.watch_src, i) };
	}
	t1 = now_ns();
	ep = epoll_create1(EPOLL_CLOEXEC);
	t_deadline = t1 + (uint64_t)(opt.timeout * 1e9);
	start = take_sample(true);

	jopen(NULL, '{');
	jopen("workload", '{');
	jint("injectors", opt.injectors);
	jint("monitors", opt.monitors);
	jint("prefixes_per_injector", opt.prefixes);
	jint("distinct_prefixes", npfx);
	jint("attribute_sets", sets);
	jint("encoded_bytes", bytes);
	jstr("mix", opt.mix);
	jstr("pack", opt.pack);
	jstr("role", opt.ibgp ? "route-reflector" : opt.mesh ? "mesh member" : "ebgp");
	jstr("family", v6 ? "ipv6" : "ipv4");
	jdbl("encode_s", (double)(t1 - t0) / 1e9);
	jclose('}');

	/* All sessions first, so that session set-up is not part of the load. */
	t0 = now_ns();
	in_setup = true;
	for (unsigned i = 0; i < opt.injectors + opt.monitors; i++)
		want(session_at(i));
	ok = pump(all_up, NEVER);
	ests = xcalloc(n_wanted, sizeof *ests);
	for (unsigned i = 0; i < opt.injectors + opt.monitors; i++) {
		struct session *s = session_at(i);
		retries += s->retries;
		if (s->t_up) {
			ests[n++] = s->t_up;
			t_est_first = min64(t_est_first, s->t_up);
			if (s->t_up > t_est_last)
				t_est_last = s->t_up;
		}
	}
	qsort(ests, n, sizeof *ests, cmp_u64);
	if (!ok) {
		err("only %u of %u sessions came up", n_up, n_wanted);
		all_ok = false;
	} else {
		pause_for(opt.pause);
		ok = pump(all_up, NEVER);
	}
	est = take_sample(true);
	jopen("setup", '{');
	jint("sessions", n_up);
	jint("retries", retries);
	jint("dropped", n_setup_drops);
	jsec("first_s", t0, t_est_first);
	jsec("median_s", t0, n ? ests[n / 2] : 0);
	jsec("all_s", t0, ok ? t_est_last : 0);
	j_cpu(&start, &est);
	jclose('}');
	if (ok && opt.watchers) {	/* not among the sessions whose set-up is timed */
		for (unsigned i = 0; i < opt.watchers; i++)
			want(&watcher[i]);
		ok = pump(all_up, now_ns() + 15 * NSEC);
		if (!ok) {
			err("only %u of %u sessions with hold time %u came up", opt.watchers + n_up - n_wanted, opt.watchers, WATCH_HOLD);
			all_ok = false;
		}
		late.n = 0;
	}
	in_setup = false;
	j_sample("at_start", &start);
	j_sample("at_established", &est);

	jopen("phases", '[');
	for (char *ph = strtok(phases, ","); ok && ph && !fatal; ph = strtok(NULL, ",")) {
		if (!strcmp(ph, "load")) ph_load("load");
		else if (!strcmp(ph, "withdraw")) ph_withdraw("withdraw");
		else if (!strcmp(ph, "churn")) ph_churn();
		else if (!strcmp(ph, "reset")) ph_reset();
		else if (!strcmp(ph, "join")) ph_join();
		else if (!strcmp(ph, "refresh")) ph_refresh();
		else if (!strcmp(ph, "deaf")) ph_deaf();
		else if (!strcmp(ph, "idle")) ph_idle();
		else if (strcmp(ph, "none")) die("unknown phase: %s", ph);
	}
	jclose(']');

	struct sample fin = take_sample(false);
	bool clean = !fatal && !bad_path && !bad_nexthop && !bad_comm && !bad_reflect && !bad_msg &&
		     !unknown_pfx && !n_drops;
	jopen("verify", '{');
	jint("bad_as_path", bad_path);
	jint("bad_next_hop", bad_nexthop);
	jint("bad_origin_or_communities", bad_comm);
	jint("bad_reflection", bad_reflect);
	jint("malformed", bad_msg);
	jint("unknown_prefixes", unknown_pfx);
	jint("sessions_lost", n_drops);
	jclose('}');
	j_late("keepalives", 0);
	jopen("errors", '[');
	for (unsigned i = 0; i < nerrs && i < sizeof errs / sizeof *errs; i++)
		jstr(NULL, errs[i]);
	jclose(']');
	jdbl("dut_hwm_mb", fin.hwm);
	jdbl("dut_cpu_total_s", fin.cpu);
	jdbl("gen_cpu_total_s", fin.self);
	jbool("ok", all_ok && clean);
	jclose('}');
	printf("%.*s\n", (int)jb.len, jb.p);
	for (unsigned i = 0; i < n_sessions(); i++)
		if (session_at(i)->state == S_UP)
			send_small(session_at(i), NOTIFICATION), flush_out(session_at(i));
	return all_ok && clean ? 0 : 1;
}

static int cmd_dump(void)
{
	build();
	FILE *f = fopen(opt.file ? opt.file : "/dev/stdout", "wb");
	if (!f || fwrite(inj[0].ann.p, 1, inj[0].ann.len, f) != inj[0].ann.len || fclose(f))
		die("cannot write %s", opt.file);
	fprintf(stderr, "%u prefixes, %u attribute sets, %zu bytes\n", opt.prefixes, inj[0].nsets, inj[0].ann.len);
	return 0;
}
