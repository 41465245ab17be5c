/* SPDX-License-Identifier: MIT */
/*
 * http_headers.h: what the http backend reads out of the values of an answer's headers. Whatever an origin sends is
 * taken: what can't be understood is left out, or for Cache-Control read as "do not store" (RFC 9111, 4.2.1).
 *
 * May be used by: http.c, tests. Pure functions: any thread.
 */
#ifndef LOADER_HTTP_HEADERS_H
#define LOADER_HTTP_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

/* What the Cache-Control, Vary and Expires headers of one answer said so far. Zero it first. */
struct http_cache_control {
    bool forbidden; /* no-store, no-cache, private, "Vary: *", or what can't be read */
    bool has_max_age;
    bool has_s_maxage;
    int64_t max_age_s;
    int64_t s_maxage_s;
    bool has_expires;
    int64_t expires_in_s; /* from the answer's Date on */
};

/* A time that could not be read. */
#define HTTP_NO_TIME INT64_C(-1)

/* Reads the value of one Cache-Control header in. Of a directive that comes twice the first one counts. */
void http_cache_control_add(struct http_cache_control *control, const char *value);

/*
 * Reads the value of one Vary header in. With "*" no other request may be given the answer (RFC 9111, 4.1). All others
 * are harmless: the loader's requests differ in their URL alone, so that whatever an answer varies with is the same.
 */
void http_cache_control_add_vary(struct http_cache_control *control, const char *value);

/*
 * Reads an Expires header in, as a time in seconds; HTTP_NO_TIME is one that can't be read, such as "0", which means
 * that the answer has expired already (RFC 9111, 5.3). date_s is the answer's Date, or when it came.
 */
void http_cache_control_set_expires(struct http_cache_control *control, int64_t expires_s, int64_t date_s);

/*
 * The time to live that they leave for an answer that is `age_s` old: s-maxage before max-age before Expires, at most
 * ttl_max_ms (SLUICE_NEVER: no such bound); SLUICE_TTL_DEFAULT where they set none.
 */
int64_t http_cache_control_ttl_ms(const struct http_cache_control *control, int64_t age_s, int64_t ttl_max_ms);

/* The value of an Age header in seconds; 0 for NULL and for what is no number (RFC 9111, 5.1). */
int64_t http_age_s(const char *value);

/* Whether `value` is a strong entity tag that can be passed on: quoted, of the right characters, under 256 bytes. */
bool http_etag_is_strong(const char *value);

/* Whether the value of one Content-Encoding header says that the body is as it is: a list of "identity", or empty. */
bool http_coding_is_identity(const char *value);

#endif
