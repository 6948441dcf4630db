#include "plugin.h"

#include <string.h>

/* The index of the quote that ends the string which begins at `from`; `json.size` where there is none. */
static size_t string_end(struct span json, size_t from) {
  for (size_t i = from; i < json.size; i++) {
    if (json.at[i] == '\\') i++;
    else if (json.at[i] == '"') return i;
  }
  return json.size;
}

static bool equals(struct span text, const char *word) {
  return text.size == strlen(word) && memcmp(text.at, word, text.size) == 0;
}

static bool unescape(struct span text, char *value, size_t room) {
  size_t length = 0;
  for (size_t i = 0; i < text.size; i++) {
    char c = text.at[i];
    if (c == '\\') {
      /* string_end() took the character after a backslash for a part of the string, so it is there. */
      c = text.at[++i];
      if (c != '"' && c != '/' && c != '\\') return false;
    }
    if (c == '\0' || length + 1 >= room) return false;
    value[length++] = c;
  }
  value[length] = '\0';
  return true;
}

bool json_string(struct span json, const char *key, char *value, size_t room) {
  size_t depth = 0;
  bool expects_key = false, is_wanted = false, is_found = false;
  value[0] = '\0';
  for (size_t i = 0; i < json.size; i++) {
    char c = json.at[i];
    if (c == '"') {
      size_t end = string_end(json, i + 1);
      if (end == json.size) break;
      struct span text = {json.at + i + 1, end - i - 1};
      /* As with JSON.parse, the last of several counts. */
      if (depth == 1 && expects_key) is_wanted = equals(text, key);
      else if (depth == 1 && is_wanted) is_found = unescape(text, value, room);
      i = end;
    } else if (c == '{' || c == '[') {
      depth++;
      expects_key = depth == 1 && c == '{';
    } else if (c == '}' || c == ']') {
      if (depth-- <= 1) break;
    } else if (depth == 1 && (c == ',' || c == ':')) {
      expects_key = c == ',';
      if (expects_key) is_wanted = false;
    }
  }
  if (!is_found) value[0] = '\0';
  return is_found;
}

/* How many octets the UTF-8 character at the beginning of `text` has (RFC 3629 section 4); 0 where there is none. */
static size_t utf8_length(struct span text) {
  const unsigned char *at = (const unsigned char *)text.at;
  size_t length = at[0] < 0x80 ? 1 : at[0] >= 0xc2 && at[0] < 0xe0 ? 2 : (at[0] & 0xf0) == 0xe0 ? 3 : at[0] >= 0xf0 && at[0] < 0xf5 ? 4 : 0;
  if (length == 0 || length > text.size) return 0;
  for (size_t i = 1; i < length; i++)
    if ((at[i] & 0xc0) != 0x80) return 0;
  bool is_overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
  bool is_surrogate = at[0] == 0xed && at[1] > 0x9f;
  bool is_beyond = at[0] == 0xf4 && at[1] > 0x8f;
  return is_overlong || is_surrogate || is_beyond ? 0 : length;
}

void json_escape(struct span text, char *out, size_t room) {
  static const char digits[] = "0123456789abcdef";
  /* The longest that one character becomes is \u001f, and a zero follows. */
  while (text.size > 0 && room > 6) {
    unsigned char c = (unsigned char)text.at[0];
    size_t length = utf8_length(text), written = 1;
    if (length == 0) {
      *out = '?';
      length = 1;
    } else if (c < 0x20 || c == 0x7f) {
      memcpy(out, "\\u00", 4);
      out[4] = digits[c >> 4];
      out[5] = digits[c & 15];
      written = 6;
    } else if (c == '"' || c == '\\') {
      out[0] = '\\';
      out[1] = text.at[0];
      written = 2;
    } else {
      memcpy(out, text.at, length);
      written = length;
    }
    out += written;
    room -= written;
    text.at += length;
    text.size -= length;
  }
  *out = '\0';
}
