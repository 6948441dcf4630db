/* calico-cni-ts, the CNI plugin: it hands what a runtime asks to the node's agent, and back what the agent answers. */
#ifndef CALICO_CNI_TS_PLUGIN_H
#define CALICO_CNI_TS_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a runtime may hand over, and what an agent may answer. A GC that names a thousand pods has 100 KiB. */
#define MAX_CONFIG (1024 * 1024)
#define MAX_ANSWER (1024 * 1024)
/* The request without its body. Node takes 16 KiB. */
#define MAX_HEAD (12 * 1024)

/* Octets that are somebody else's; they end with no zero. */
struct span {
  const char *at;
  size_t size;
};

/* --- json.c: the little that is known of JSON ------------------------------------------------------------------- */

/* Copies the string `key` of the outermost object into `value`, with a zero at its end. False, and `value` empty, where
 * it is not there, is no string, has no room, or holds escapes other than of quote, slash and backslash. */
bool json_string(struct span json, const char *key, char *value, size_t room);

/* Writes `text` as the inside of a JSON string: valid whatever it holds, cut where there is no more room. */
void json_escape(struct span text, char *out, size_t room);

/* --- answer.c: HTTP as far as an answer of the agent needs it ---------------------------------------------------- */

enum progress { ANSWER_INCOMPLETE, ANSWER_WHOLE, ANSWER_MALFORMED };

struct answer {
  int status;
  /* It has a CNI-Error header: the body is for the runtime. */
  bool is_cni_error;
  struct span body;
};

/* Looks at what came until now. `is_ended`: nothing more will come. Chunks are joined within `bytes`, once all are
 * there; so nothing may follow a call that said ANSWER_WHOLE. */
enum progress read_answer(char *bytes, size_t size, bool is_ended, struct answer *answer);

/* --- exchange.c: the unix socket, and time ------------------------------------------------------------------------ */

/* Milliseconds of the monotonic clock. */
int64_t now_ms(void);

/* Waits until `fd` is ready for one of `events` (poll(2)); false at the deadline. */
bool wait_for(int fd, short events, int64_t deadline);

/* Sends `head` and `body`, and waits for the answer. Null, or why there is none. */
const char *exchange(const char *socket_path, struct span head, struct span body, int64_t deadline,
                     struct answer *answer);

#endif
