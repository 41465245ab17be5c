/* SPDX-License-Identifier: MIT */
/* utf8.c: whether bytes are text. See utf8.h. */
#include "utf8.h"

/* The size of the character that begins at `at`, 1 to 4 bytes; 0: none does. `left` bytes may be read, at least 1. */
static size_t character_size(const unsigned char *at, size_t left)
{
    unsigned char low = 0x80, high = 0xbf; /* of the second byte */
    size_t size;

    if (at[0] >= 0x01 && at[0] <= 0x7f)
        return 1;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        size = 2;
    else if (at[0] >= 0xe0 && at[0] <= 0xef)
        size = 3;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        size = 4;
    else
        return 0;

    if (at[0] == 0xe0)
        low = 0xa0; /* below: could be shorter */
    else if (at[0] == 0xed)
        high = 0x9f; /* above: surrogates */
    else if (at[0] == 0xf0)
        low = 0x90; /* below: could be shorter */
    else if (at[0] == 0xf4)
        high = 0x8f; /* above: past U+10FFFF */

    if (size > left || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++) {
        if (at[i] < 0x80 || at[i] > 0xbf)
            return 0;
    }
    return size;
}

bool utf8_is_text(const void *data, size_t size)
{
    const unsigned char *bytes = data;

    for (size_t at = 0; at < size;) {
        size_t character = character_size(bytes + at, size - at);

        if (character == 0)
            return false;
        at += character;
    }
    return true;
}
