/* SPDX-License-Identifier: MIT */
/*
 * json_text.h: JSON strings of any bytes, and JSON answers.
 * May be used by: the server's files.
 */
#ifndef SERVER_JSON_TEXT_H
#define SERVER_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The bytes as a JSON string: as they are where they are valid UTF-8 without a NUL, else with each byte that is not an
 * unreserved character of a URI percent-encoded. `*encoded` tells which, and may be NULL. NULL without memory.
 */
json_t *json_text(const void *bytes, size_t size, bool *encoded);

struct http_request;

/* The value as text with a newline at its end, for free(). Takes the value, which may be NULL; NULL without memory. */
char *json_body(json_t *value, size_t flags);

/* Answers with the value as application/json, or with a 503 if it is NULL or there is no memory. Takes the value. */
void json_answer(struct http_request *request, unsigned status, json_t *value);
void json_answer_compact(struct http_request *request, unsigned status, json_t *value);

#endif
