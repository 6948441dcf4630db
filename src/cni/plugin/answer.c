#include "plugin.h"

#include <string.h>
#include <strings.h>

/* The line that begins at `*from`, without its CRLF; `*from` moves behind it. False where it has not ended yet. */
static bool next_line(struct span bytes, size_t *from, struct span *line) {
  const char *begin = bytes.at + *from;
  const char *end = memchr(begin, '\n', bytes.size - *from);
  if (end == NULL) return false;
  *from += (size_t)(end - begin) + 1;
  line->at = begin;
  line->size = (size_t)(end - begin);
  if (line->size > 0 && end[-1] == '\r') line->size--;
  return true;
}

/* The value of the header `name`, where `line` is that header. */
static bool header_value(struct span line, const char *name, struct span *value) {
  size_t length = strlen(name);
  if (line.size <= length || strncasecmp(line.at, name, length) != 0 || line.at[length] != ':') return false;
  value->at = line.at + length + 1;
  value->size = line.size - length - 1;
  while (value->size > 0 && (value->at[0] == ' ' || value->at[0] == '\t')) {
    value->at++;
    value->size--;
  }
  return true;
}

static int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

/* Digits at the beginning of `text`; false where there is none, or where the number is larger than any answer. */
static bool read_number(struct span text, int base, size_t *number) {
  size_t i = 0;
  for (*number = 0; i < text.size && digit_of(text.at[i]) < base; i++) {
    *number = *number * (size_t)base + (size_t)digit_of(text.at[i]);
    if (*number > MAX_ANSWER) return false;
  }
  return i > 0;
}

/* Walks over the chunks from `from` (RFC 9112 section 7.1), and moves their octets to `to` where that is not null. */
static enum progress walk_chunks(struct span bytes, size_t from, char *to, size_t *joined) {
  *joined = 0;
  for (;;) {
    struct span line;
    size_t size;
    if (!next_line(bytes, &from, &line)) return ANSWER_INCOMPLETE;
    if (!read_number(line, 16, &size)) return ANSWER_MALFORMED;
    if (size == 0) return ANSWER_WHOLE;
    if (bytes.size - from < size) return ANSWER_INCOMPLETE;
    if (to != NULL) memmove(to + *joined, bytes.at + from, size);
    *joined += size;
    from += size;
    if (!next_line(bytes, &from, &line)) return ANSWER_INCOMPLETE;
    if (line.size != 0) return ANSWER_MALFORMED;
  }
}

static bool read_status(struct span line, int *status) {
  size_t number;
  if (line.size < 12 || memcmp(line.at, "HTTP/1.", 7) != 0 || line.at[8] != ' ') return false;
  if (!read_number((struct span){line.at + 9, 3}, 10, &number) || number < 200 || number > 999) return false;
  *status = (int)number;
  return true;
}

enum progress read_answer(char *bytes, size_t size, bool is_ended, struct answer *answer) {
  struct span all = {bytes, size}, line, value;
  size_t from = 0, length = 0;
  bool is_chunked = false, has_length = false;
  *answer = (struct answer){0, false, {bytes, 0}};
  /* What is not HTTP need not have lines; no reason to wait for one. */
  if (memcmp(bytes, "HTTP/1.", size < 7 ? size : 7) != 0) return ANSWER_MALFORMED;
  if (!next_line(all, &from, &line)) return ANSWER_INCOMPLETE;
  if (!read_status(line, &answer->status)) return ANSWER_MALFORMED;
  for (;;) {
    if (!next_line(all, &from, &line)) return ANSWER_INCOMPLETE;
    if (line.size == 0) break;
    if (header_value(line, "CNI-Error", &value)) answer->is_cni_error = true;
    if (header_value(line, "Content-Length", &value)) {
      if (!read_number(value, 10, &length)) return ANSWER_MALFORMED;
      has_length = true;
    }
    if (header_value(line, "Transfer-Encoding", &value)) is_chunked = true;
  }
  answer->body.at = bytes + from;
  if (answer->status == 204) return ANSWER_WHOLE;
  if (is_chunked) {
    enum progress progress = walk_chunks(all, from, NULL, &answer->body.size);
    if (progress == ANSWER_WHOLE) walk_chunks(all, from, bytes + from, &answer->body.size);
    return progress;
  }
  answer->body.size = has_length ? length : size - from;
  if (has_length) return size - from < length ? ANSWER_INCOMPLETE : ANSWER_WHOLE;
  return is_ended ? ANSWER_WHOLE : ANSWER_INCOMPLETE;
}
