/*
 * Answers and configurations, mutated by chance, for the plugin's readers: fuzz SEED ROUNDS. Each input lies in memory of
 * exactly its size, so that the address sanitizer sees an octet read beyond it; what the readers promise is asserted.
 */
#include "plugin.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static size_t chance(size_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (size_t)(state % below);
}

static const char *const seeds[] = {
  "HTTP/1.1 200 OK\r\ncontent-length: 7\r\nCNI-Error: 1\r\nconnection: close\r\n\r\n{\"a\":1}",
  "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;x\r\n{\"a\":\r\nA\r\n\"bcdefgh\"}\r\n0\r\n\r\n",
  "HTTP/1.0 404 No\n\nbody",
  "{\"cniVersion\":\"1.0.0\",\"x\":{\"socket\":\"\\\\\"},\"l\":[\"socket\"],\"socket\":\"\\/a\\\"b\"}",
  "{\"socket\":\"0123456789abcde\",\"x\":\"\",\"socket\":\"0123456789abcdef\"}",
  "\"\\\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\xed\xa0\x80\xff\x01",
};
static const char *const words[] = {"\r\n", "0", "ffffffff", "\"", "\\", "{", "}", ":", ",", "\xf0", "\xe2\x82", "chunked", "socket"};

static size_t mutate(char *bytes, size_t size, size_t room) {
  for (size_t times = chance(6); times > 0; times--) {
    size_t at = chance(size + 1);
    switch (chance(4)) {
      case 0:
        if (at < size) bytes[at] = (char)chance(256);
        break;
      case 1:
        if (at < size) memmove(bytes + at, bytes + at + 1, --size - at);
        break;
      case 2: {
        const char *word = words[chance(sizeof words / sizeof *words)];
        size_t length = strlen(word);
        if (size + length > room) break;
        memmove(bytes + at + length, bytes + at, size - at);
        memcpy(bytes + at, word, length);
        size += length;
        break;
      }
      default: size = at;
    }
  }
  return size;
}

static bool check_answer(struct span input) {
  char *bytes = malloc(input.size);
  memcpy(bytes, input.at, input.size);
  struct answer answer;
  enum progress progress = read_answer(bytes, input.size, chance(2) == 1, &answer);
  if (progress == ANSWER_WHOLE) {
    assert(answer.status >= 200 && answer.status <= 999);
    assert(answer.body.at >= bytes && answer.body.at + answer.body.size <= bytes + input.size);
  }
  free(bytes);
  return progress == ANSWER_WHOLE;
}

static void check_json(struct span input) {
  char *bytes = malloc(input.size + 1), value[16], escaped[32];
  memcpy(bytes, input.at, input.size);
  char *tight = realloc(bytes, input.size == 0 ? 1 : input.size);
  struct span text = {tight, input.size};
  bool is_found = json_string(text, "socket", value, sizeof value);
  assert(strlen(value) < sizeof value && (is_found || value[0] == '\0'));
  json_escape(text, escaped, sizeof escaped);
  assert(strlen(escaped) < sizeof escaped);
  /* As the inside of a string it is one string: found again whole, where no escape hides it. */
  for (const char *c = escaped; *c != '\0'; c++) {
    assert((unsigned char)*c >= 0x20 && *c != '"');
    if (*c == '\\') assert(*++c != '\0');
  }
  free(tight);
}

int main(int argc, char **argv) {
  assert(argc == 3);
  state = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
  long rounds = strtol(argv[2], NULL, 10), whole = 0;
  for (long round = 0; round < rounds; round++) {
    char bytes[512];
    const char *seed = seeds[chance(sizeof seeds / sizeof *seeds)];
    size_t size = strlen(seed);
    memcpy(bytes, seed, size);
    struct span input = {bytes, mutate(bytes, size, sizeof bytes)};
    if (input.size > 0) whole += check_answer(input);
    check_json(input);
  }
  printf("%ld rounds, %ld answers whole\n", rounds, whole);
}
