/* phase deaf: some monitors stop reading, and the others shall not notice */

/* The peak of resident memory, counted anew from here. */
static void reset_peak(void)
{
	char path[64];
	for (unsigned i = 0; i < opt.npids; i++) {
		snprintf(path, sizeof path, "/proc/%d/clear_refs", opt.pids[i]);
		int fd = open(path, O_WRONLY);
		if (fd >= 0) {
			if (write(fd, "5", 1) != 1)
				err("%s: %s", path, strerror(errno));
			close(fd);
		}
	}
}

/*
 * Everything is announced, withdrawn, announced, as often as the time allows,
 * while the deaf ones read nothing; a DUT that keeps what it could not send
 * grows with each turn. Then they read again and must come to the same table.
 */
static void ph_deaf(void)
{
	uint64_t t_end = now_ns() + (uint64_t)(opt.deaf_secs * 1e9);
	struct sample s0, s1;
	bool ok;

	reset_peak();
	for (unsigned i = 0; i < opt.deaf && i < opt.monitors; i++)
		set_deaf(&mon[i].s, true);
	ph_load("deaf-load");
	while (!fatal && all_ok && now_ns() < t_end) {
		ph_withdraw("deaf-withdraw");
		if (!fatal)
			ph_load("deaf-again");
	}
	if (fatal)
		return;

	s0 = take_sample(false);
	phase_begin();
	for (unsigned i = 0; i < opt.monitors; i++) {
		if (mon[i].s.deaf)
			set_deaf(&mon[i].s, false);
		else
			mon[i].t_all = mon[i].t_best = t_phase;
	}
	ok = pump(conv_cond, NEVER) && mons_converged();
	phase_end("deaf-resume", &s0, ok);
	jclose('}');

	pause_for(opt.deaf_rest);
	s1 = take_sample(true);
	jopen(NULL, '{');
	jstr("name", "deaf-rest");
	jbool("ok", !fatal);
	j_cpu(&s0, &s1);
	jdbl("rss_mb", s1.rss);
	jdbl("hwm_mb", s1.hwm);
	jdbl("pss_mb", s1.pss);
	jclose('}');
}
