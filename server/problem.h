/* SPDX-License-Identifier: MIT */
/*
 * problem.h: answers that say what went wrong, as application/problem+json (RFC 9457).
 *
 * May be used by: routes.c, admin.c, reply.c, main.c. Every problem that the server can tell has one line in the list:
 * its status, the end of its type URI ("urn:sluice:problem:" and the word) and its title.
 */
#ifndef SERVER_PROBLEM_H
#define SERVER_PROBLEM_H

#include "http.h"

#define PROBLEMS(X)                                                                                                    \
    X(PROBLEM_BAD_TARGET, 400, "bad-target", "The request target is not valid")                                        \
    X(PROBLEM_EMPTY_KEY, 400, "empty-key", "The key is empty")                                                         \
    X(PROBLEM_NUL_KEY, 400, "nul-in-key", "The key holds a NUL byte")                                                  \
    X(PROBLEM_UNKNOWN_PARAMETER, 400, "unknown-parameter", "The query is not one that this resource knows")            \
    X(PROBLEM_HOST_MISSING, 400, "host-missing", "An HTTP/1.1 request needs a Host header")                            \
    X(PROBLEM_HOST_INVALID, 400, "host-invalid", "The Host header is not a host and a port")                           \
    X(PROBLEM_FIELD_SYNTAX, 400, "header-malformed", "A header is not well-formed")                                    \
    X(PROBLEM_FIELD_REPEATED, 400, "header-repeated", "Host or Content-Length is given more than once")                \
    X(PROBLEM_TRANSFER_ENCODING, 400, "transfer-encoding", "This method takes no Transfer-Encoding")                   \
    X(PROBLEM_BODY, 400, "body-not-allowed", "This method takes no body")                                              \
    X(PROBLEM_UNAUTHORIZED, 401, "unauthorized", "A valid bearer token is needed")                                     \
    X(PROBLEM_FORBIDDEN, 403, "foreign-origin", "The request comes from a web page or names a foreign host")           \
    X(PROBLEM_UNKNOWN_CACHE, 404, "unknown-cache", "There is no cache of this name")                                   \
    X(PROBLEM_UNKNOWN_RESOURCE, 404, "unknown-resource", "There is nothing here")                                      \
    X(PROBLEM_NOT_FOUND, 404, "not-found", "The backend has no value for this key")                                    \
    X(PROBLEM_METHOD, 405, "method-not-allowed", "This method is not allowed here")                                    \
    X(PROBLEM_BODY_SIZE, 413, "body-too-large", "This method takes no body, least of all a large one")                 \
    X(PROBLEM_KEY_SIZE, 414, "key-too-large", "The key is larger than this cache's key_size_max")                      \
    X(PROBLEM_HEADER_SIZE, 431, "header-too-large", "The request line and headers are larger than header_size_max")    \
    X(PROBLEM_LOAD_FAILED, 502, "load-failed", "The load failed")                                                      \
    X(PROBLEM_VALUE_SIZE, 502, "value-too-large", "The value is larger than this cache's value_size_max")              \
    X(PROBLEM_LOAD_REFUSED, 503, "load-refused", "The bound in front of the backend is reached")                       \
    X(PROBLEM_TOO_MANY_WAITERS, 503, "too-many-waiters", "Too many requests wait already")                             \
    X(PROBLEM_TOO_MANY_LOADS, 503, "too-many-loads", "Too many loads are in flight already")                           \
    X(PROBLEM_CLOSED, 503, "closed", "The server is going away")                                                       \
    X(PROBLEM_NO_MEMORY, 503, "no-memory", "Out of memory")                                                            \
    X(PROBLEM_NOT_CACHED, 504, "not-cached", "The key is not cached, and only-if-cached was asked for")                \
    X(PROBLEM_TIMED_OUT, 504, "timed-out", "The wait ran out of time; the load goes on")                               \
    X(PROBLEM_LOAD_TIMED_OUT, 504, "load-timed-out", "The load ran out of time")

#define PROBLEM_ID(id, status, word, title) id,
enum problem { PROBLEMS(PROBLEM_ID) };
#undef PROBLEM_ID

unsigned problem_status(enum problem problem);
const char *problem_word(enum problem problem); /* as in its type: a token */

/*
 * Fills in status, body, Content-Type and Cache-Control: no-store, and for a 503 Retry-After. `detail` says more, in
 * any bytes, and may be NULL. The caller may add headers, and hands it to http_request_answer().
 */
void problem_make(struct http_answer *answer, enum problem problem, const char *detail);

/* problem_make() and http_request_answer(), with a detail as printf makes it; cut at 512 bytes. */
void problem_answer(struct http_request *request, enum problem problem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* 405, with the Allow header that must come along. */
void problem_answer_method(struct http_request *request, const char *allow);

/* Fits struct http_handler's `refuse`. */
void problem_refuse(void *self, struct http_request *request, enum http_refusal why);

#endif
