#include "plugin.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char too_late[] = "no answer within the time limit";

int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool wait_for(int fd, short events, int64_t deadline) {
  for (;;) {
    int64_t left = deadline - now_ms();
    if (left <= 0) return false;
    struct pollfd wanted = {.fd = fd, .events = events};
    int ready = poll(&wanted, 1, (int)left);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true; /* The call that follows tells what is wrong. */
  }
}

static const char *why_not_connected(int error) {
  if (error == ENOENT) return "there is no such socket";
  if (error == ECONNREFUSED) return "nobody listens there";
  return strerror(error);
}

static const char *connect_to(int fd, const char *path, int64_t deadline) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return "its path is too long";
  strcpy(address.sun_path, path);
  while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    if (errno == EINTR || errno == EISCONN) continue;
    if (errno != EAGAIN) return why_not_connected(errno);
    /* The agent's queue of connections is full, and poll(2) does not tell when it no longer is. */
    if (now_ms() >= deadline) return too_late;
    poll(NULL, 0, 10);
  }
  return NULL;
}

static const char *send_all(int fd, struct span bytes, int64_t deadline) {
  while (bytes.size > 0) {
    if (!wait_for(fd, POLLOUT, deadline)) return too_late;
    ssize_t sent = send(fd, bytes.at, bytes.size, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    /* An agent that refuses the request may answer and close before it read all of it: its answer counts. */
    if (sent < 0) return errno == EPIPE || errno == ECONNRESET ? NULL : strerror(errno);
    bytes.at += sent;
    bytes.size -= (size_t)sent;
  }
  return NULL;
}

static const char *receive(int fd, int64_t deadline, struct answer *answer) {
  /* Room for the head of an answer beside its body. */
  static char bytes[MAX_ANSWER + 16 * 1024];
  size_t size = 0;
  for (;;) {
    if (size == sizeof bytes) return "its answer is larger than 1 MiB";
    if (!wait_for(fd, POLLIN, deadline)) return size == 0 ? too_late : "its answer did not end within the time limit";
    ssize_t got = recv(fd, bytes + size, sizeof bytes - size, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0 && errno != ECONNRESET) return strerror(errno);
    bool is_ended = got <= 0;
    if (!is_ended) size += (size_t)got;
    if (size == 0) return "it closed the connection without an answer";
    switch (read_answer(bytes, size, is_ended, answer)) {
      case ANSWER_WHOLE: return NULL;
      case ANSWER_MALFORMED: return "what it answers is not HTTP, or larger than 1 MiB";
      case ANSWER_INCOMPLETE:
        if (is_ended) return "its answer was cut short";
    }
  }
}

const char *exchange(const char *socket_path, struct span head, struct span body, int64_t deadline,
                     struct answer *answer) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return strerror(errno);
  const char *fault = connect_to(fd, socket_path, deadline);
  if (fault == NULL) fault = send_all(fd, head, deadline);
  if (fault == NULL) fault = send_all(fd, body, deadline);
  if (fault == NULL) fault = receive(fd, deadline, answer);
  close(fd);
  return fault;
}
