/*
 * The program that a container runtime starts for each verb (CNI specification, section 2): it reads the environment and
 * stdin, asks the agent by one HTTP request over a unix socket, prints the answer and ends. It decides nothing: what a
 * configuration means is known to the agent alone, so that an agent of another version works with this plugin.
 * docs/adr/0017 tells why it is written in C. The protocol: src/cni/plugin/README.md.
 */
#include "plugin.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "unknown"
#endif

#define DEFAULT_SOCKET "/var/run/calico/calico-ts.sock"
#define SUPPORTED "[\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]"
#define NEWEST "1.1.0"
#define LIMIT_MS 90000
/* VERSION can be answered without the agent: nobody shall wait long for it. */
#define VERSION_LIMIT_MS 2000

/* Error codes of the CNI specification, section 5; from 100 on they are a plugin's own. */
enum { INVALID_ENVIRONMENT = 4, UNREADABLE = 6, INVALID_CONFIG = 7, TRY_AGAIN = 11, UNAVAILABLE = 50, AGENT_FAILED = 100 };

static struct {
  const char *command;
  struct span config;
  char cni_version[32];
  char socket[1024];
  int64_t deadline;
} call;

static bool write_all(struct span bytes) {
  while (bytes.size > 0) {
    ssize_t written = write(STDOUT_FILENO, bytes.at, bytes.size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.at += written;
    bytes.size -= (size_t)written;
  }
  return true;
}

/* Prints a CNI error and ends. */
static _Noreturn void fail(int code, const char *message, struct span details) {
  static char escaped[8192], escaped_details[2048], json[16384];
  json_escape((struct span){message, strlen(message)}, escaped, sizeof escaped);
  json_escape(details, escaped_details, sizeof escaped_details);
  bool has_details = escaped_details[0] != '\0';
  int length = snprintf(json, sizeof json, "{\"cniVersion\":\"%s\",\"code\":%d,\"msg\":\"%s\"%s%s%s}\n", call.cni_version,
                        code, escaped, has_details ? ",\"details\":\"" : "", escaped_details, has_details ? "\"" : "");
  write_all((struct span){json, (size_t)length});
  exit(1);
}

static const struct span no_details = {"", 0};

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? "" : value;
}

static void read_config(void) {
  static char bytes[MAX_CONFIG];
  size_t size = 0;
  for (;;) {
    if (!wait_for(STDIN_FILENO, POLLIN, call.deadline))
      fail(UNREADABLE, "the network configuration on stdin did not end within the time limit", no_details);
    /* One more than is allowed is enough to see it. */
    char beyond;
    bool is_full = size == sizeof bytes;
    ssize_t got = read(STDIN_FILENO, is_full ? &beyond : bytes + size, is_full ? 1 : sizeof bytes - size);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) break;
    if (is_full) fail(UNREADABLE, "the network configuration on stdin is larger than 1 MiB", no_details);
    size += (size_t)got;
  }
  call.config = (struct span){bytes, size};
}

static void choose_version(void) {
  static const char allowed[] = "0123456789.-+abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  char *version = call.cni_version;
  if (!json_string(call.config, "cniVersion", version, sizeof call.cni_version) || version[0] == '\0' ||
      version[strspn(version, allowed)] != '\0')
    strcpy(version, NEWEST);
}

static void choose_socket(void) {
  const char *wanted = variable("CALICO_CNI_SOCKET");
  if (wanted[0] == '\0') {
    if (!json_string(call.config, "socket", call.socket, sizeof call.socket) || call.socket[0] == '\0')
      strcpy(call.socket, DEFAULT_SOCKET);
  } else {
    snprintf(call.socket, sizeof call.socket, "%s", wanted);
  }
  if (strlen(call.socket) <= 107) return;
  static char message[1200];
  snprintf(message, sizeof message, "socket = '%s': is too long, a unix socket's path has at most 107 octets", call.socket);
  fail(INVALID_CONFIG, message, no_details);
}

static struct {
  char bytes[MAX_HEAD];
  size_t size;
  bool is_full;
} head;

static void add(const char *text, size_t size) {
  if (size > sizeof head.bytes - head.size) {
    head.is_full = true;
    return;
  }
  memcpy(head.bytes + head.size, text, size);
  head.size += size;
}

/* A header with the value as encodeURIComponent() writes it: no line end and no other octet of it breaks the request. */
static void add_variable(const char *header, const char *name) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()";
  static const char digits[] = "0123456789ABCDEF";
  const char *value = variable(name);
  if (value[0] == '\0') return;
  add(header, strlen(header));
  add(": ", 2);
  for (; *value != '\0' && !head.is_full; value++) {
    unsigned char c = (unsigned char)*value;
    char escape[] = {'%', digits[c >> 4], digits[c & 15]};
    if (strchr(plain, c) != NULL) add(value, 1);
    else add(escape, 3);
  }
  add("\r\n", 2);
}

static void write_head(void) {
  char fixed[512];
  int length = snprintf(fixed, sizeof fixed,
                        "POST /v1/cni HTTP/1.1\r\nHost: calico-ts\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\nConnection: close\r\nCNI-Protocol: 1\r\nCNI-Plugin-Version: %s\r\n",
                        call.config.size, VERSION);
  add(fixed, (size_t)length);
  add_variable("CNI-Command", "CNI_COMMAND");
  add_variable("CNI-ContainerID", "CNI_CONTAINERID");
  add_variable("CNI-NetNS", "CNI_NETNS");
  add_variable("CNI-IfName", "CNI_IFNAME");
  add_variable("CNI-Args", "CNI_ARGS");
  add_variable("CNI-Path", "CNI_PATH");
  add("\r\n", 2);
  if (head.is_full) fail(INVALID_ENVIRONMENT, "the CNI_ variables are larger than 12 KiB together", no_details);
}

/* What the plugin knows without the agent: with an agent away, a runtime still finds the versions. */
static _Noreturn void tell_versions(void) {
  char json[256];
  int length = snprintf(json, sizeof json, "{\"cniVersion\":\"%s\",\"supportedVersions\":" SUPPORTED "}\n", call.cni_version);
  exit(write_all((struct span){json, (size_t)length}) ? 0 : 1);
}

static _Noreturn void tell_away(const char *reason) {
  static char message[1200];
  snprintf(message, sizeof message, "calico-node-ts does not answer on %s: %s", call.socket, reason);
  fail(strcmp(call.command, "STATUS") == 0 ? UNAVAILABLE : TRY_AGAIN, message, no_details);
}

static _Noreturn void tell_refused(const struct answer *answer) {
  static char message[1200];
  bool is_old = answer->status == 404;
  snprintf(message, sizeof message, "calico-node-ts on %s answers HTTP %d to POST /v1/cni%s", call.socket, answer->status,
           is_old ? ": it is older than this plugin" : "");
  size_t size = answer->body.size < 300 ? answer->body.size : 300;
  fail(is_old ? TRY_AGAIN : AGENT_FAILED, message, (struct span){answer->body.at, size});
}

/* For tests: a limit shorter than the specification's. */
static int64_t limit_ms(int64_t most) {
  long wanted = strtol(variable("CALICO_CNI_TIMEOUT_MS"), NULL, 10);
  return wanted > 0 && wanted < most ? wanted : most;
}

int main(int argc, char **argv) {
  if (argc > 1) {
    bool is_known = strcmp(argv[1], "-v") == 0 || strcmp(argv[1], "--version") == 0;
    fprintf(is_known ? stdout : stderr,
            is_known ? "calico-cni-ts " VERSION "\n"
                     : "calico-cni-ts is a CNI plugin, called by a container runtime; its one flag is --version\n");
    return is_known ? 0 : 2;
  }
  signal(SIGPIPE, SIG_IGN);
  strcpy(call.cni_version, NEWEST);
  call.command = variable("CNI_COMMAND");
  call.deadline = now_ms() + limit_ms(LIMIT_MS);
  if (call.command[0] == '\0')
    fail(INVALID_ENVIRONMENT, "CNI_COMMAND is not set: this is a CNI plugin, called by a container runtime", no_details);
  read_config();
  choose_version();
  bool is_version = strcmp(call.command, "VERSION") == 0;
  if (is_version) call.deadline = now_ms() + limit_ms(VERSION_LIMIT_MS);
  choose_socket();
  write_head();

  struct answer answer;
  struct span request = {head.bytes, head.size};
  const char *fault = exchange(call.socket, request, call.config, call.deadline, &answer);
  bool is_success = fault == NULL && (answer.status == 200 || answer.status == 204);
  if (is_version && !is_success) tell_versions();
  if (fault != NULL) tell_away(fault);
  if (!is_success && !answer.is_cni_error) tell_refused(&answer);
  return write_all(answer.body) && is_success ? 0 : 1;
}
