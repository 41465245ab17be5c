/* SPDX-License-Identifier: MIT */
/* escape.c: one character at a time, so that a caller can stop at any bound without cutting one in half. */
#include "escape.h"

#include <string.h>

static const char HEX[] = "0123456789abcdef";

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The length of the well-formed UTF-8 sequence at `text` and its code point; 0 if there is none. */
static size_t utf8_decode(const unsigned char *text, unsigned *code_point)
{
    size_t length = 0;
    unsigned value = 0;
    unsigned least = 0;
    if (text[0] < 0x80) {
        *code_point = text[0];
        return 1;
    } else if ((text[0] & 0xe0) == 0xc0) {
        length = 2, value = text[0] & 0x1f, least = 0x80;
    } else if ((text[0] & 0xf0) == 0xe0) {
        length = 3, value = text[0] & 0x0f, least = 0x800;
    } else if ((text[0] & 0xf8) == 0xf0) {
        length = 4, value = text[0] & 0x07, least = 0x10000;
    } else {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(text[i])) /* the terminating NUL, too */
            return 0;
        value = value << 6 | (text[i] & 0x3f);
    }
    if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code_point = value;
    return length;
}

/* Characters over ASCII that a terminal obeys instead of showing: C1 controls, line ends, and changes of direction. */
static bool is_unsafe(unsigned code_point)
{
    return (code_point >= 0x80 && code_point <= 0x9f) || (code_point >= 0x200b && code_point <= 0x200f) ||
           (code_point >= 0x2028 && code_point <= 0x202e) || (code_point >= 0x2066 && code_point <= 0x2069) ||
           code_point == 0xfeff;
}

static size_t escape_short(char letter, char *out)
{
    out[0] = '\\';
    out[1] = letter;
    return 2;
}

static size_t escape_byte(unsigned char byte, char *out)
{
    out[0] = '\\';
    out[1] = 'x';
    out[2] = HEX[byte >> 4];
    out[3] = HEX[byte & 15];
    return 4;
}

static size_t escape_code_point(unsigned code_point, char *out)
{
    out[0] = '\\';
    out[1] = 'u';
    for (int i = 0; i < 4; i++)
        out[2 + i] = HEX[code_point >> (12 - 4 * i) & 15];
    return 6;
}

size_t escape_next(const char **text, bool quoted, char out[ESCAPE_BYTES_MAX])
{
    const char *start = *text;
    unsigned char byte = (unsigned char)*start;
    unsigned code_point;
    size_t length = utf8_decode((const unsigned char *)start, &code_point);

    *text = start + (length ? length : 1);
    if (!length)
        return escape_byte(byte, out);
    if (byte == '\n')
        return escape_short('n', out);
    if (byte == '\r')
        return escape_short('r', out);
    if (byte == '\t')
        return escape_short('t', out);
    if (byte < 0x20 || byte == 0x7f)
        return escape_byte(byte, out);
    if (quoted && (byte == '"' || byte == '\\'))
        return escape_short(*start, out);
    if (is_unsafe(code_point))
        return escape_code_point(code_point, out);
    memcpy(out, start, length);
    return length;
}
