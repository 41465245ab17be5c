/* SPDX-License-Identifier: MIT */
/*
 * utf8.h: whether bytes are text. For backends whose store tells text and bytes apart.
 *
 * May be used by: the backends. Pure: any thread.
 */
#ifndef LOADER_UTF8_H
#define LOADER_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Whether all of it is valid UTF-8 (RFC 3629: shortest forms, no surrogates) without a NUL. Nothing is text, too. */
bool utf8_is_text(const void *data, size_t size);

#endif
