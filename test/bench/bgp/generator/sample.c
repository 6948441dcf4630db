/* sampling the DUT's and the machine's use of resources */

struct sample {
	uint64_t t;
	double cpu, user, sys;		/* CPU seconds of the DUT's processes */
	double rss, hwm, pss;		/* MB, summed over them */
	double self;			/* CPU seconds of this process */
	double busy, steal;		/* CPU seconds of the whole machine */
};

static char *slurp(const char *path)
{
	static char b[8192];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, b, sizeof b - 1);
	if (fd >= 0)
		close(fd);
	b[n < 0 ? 0 : n] = 0;
	return n < 0 ? NULL : b;
}
static double field_mb(const char *s, const char *name)
{
	s = s ? strstr(s, name) : NULL;
	return s ? atof(s + strlen(name)) / 1024 : 0;
}

/* Run time of all threads in seconds: finer than the clock ticks of utime and stime. */
static double run_time(int pid)
{
	char path[300];
	double sum = 0;
	struct dirent *e;
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	DIR *d = opendir(path);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, e->d_name);
		char *b = e->d_name[0] == '.' ? NULL : slurp(path);
		if (b)
			sum += atof(b) / 1e9;
	}
	if (d)
		closedir(d);
	return sum;
}

static struct sample take_sample(bool pss)
{
	struct sample s = { .t = now_ns() };
	double hz = (double)sysconf(_SC_CLK_TCK);
	char path[64], *b, *q;
	struct rusage ru;
	for (unsigned i = 0; i < opt.npids; i++) {
		unsigned long ut = 0, st = 0;
		snprintf(path, sizeof path, "/proc/%d/stat", opt.pids[i]);
		if ((b = slurp(path)) && (q = strrchr(b, ')')) &&
		    sscanf(q + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &ut, &st) == 2)
			s.user += (double)ut / hz, s.sys += (double)st / hz;
		double ticks = (double)(ut + st) / hz, run = run_time(opt.pids[i]);
		s.cpu += run > ticks ? run : ticks;	/* run leaves out threads that ended */
		snprintf(path, sizeof path, "/proc/%d/status", opt.pids[i]);
		b = slurp(path);
		s.rss += field_mb(b, "VmRSS:");
		s.hwm += field_mb(b, "VmHWM:");
		if (pss) {
			snprintf(path, sizeof path, "/proc/%d/smaps_rollup", opt.pids[i]);
			s.pss += field_mb(slurp(path), "\nPss:");
		}
	}
	getrusage(RUSAGE_SELF, &ru);
	s.self = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		 (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
	unsigned long long c[8] = { 0 };
	b = slurp("/proc/stat");
	if (b && sscanf(b, "cpu %llu %llu %llu %llu %llu %llu %llu %llu",
			c, c + 1, c + 2, c + 3, c + 4, c + 5, c + 6, c + 7) == 8) {
		s.busy = (double)(c[0] + c[1] + c[2] + c[5] + c[6]) / hz;
		s.steal = (double)c[7] / hz;
	}
	return s;
}

static void j_sample(const char *name, const struct sample *s)
{
	jopen(name, '{');
	jdbl("cpu_s", s->cpu);
	jdbl("rss_mb", s->rss);
	jdbl("hwm_mb", s->hwm);
	if (s->pss > 0)
		jdbl("pss_mb", s->pss);
	jclose('}');
}

/* CPU used from a to b: by the DUT, by us, and by anything else on the machine. */
static void j_cpu(const struct sample *a, const struct sample *b)
{
	double dut = b->cpu - a->cpu, self = b->self - a->self;
	double other = b->busy - a->busy - dut - self;
	jdbl("wall_s", (double)(b->t - a->t) / 1e9);
	jdbl("dut_cpu_s", dut);
	jdbl("dut_user_s", b->user - a->user);
	jdbl("dut_sys_s", b->sys - a->sys);
	jdbl("gen_cpu_s", self);
	jdbl("foreign_cpu_s", other > 0 ? other : 0);
	jdbl("steal_s", b->steal - a->steal);
}
