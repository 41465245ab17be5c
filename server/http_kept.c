/* SPDX-License-Identifier: MIT */
/* http_kept.c: see http_kept.h. The responses themselves are http.c's. */
#include "http_kept.h"

#include "http_private.h"

/* Values lie at multiples of at least 16, often at regular distances: the high bits of a product tell them apart. */
static size_t place_of(const struct http_answer_key *key)
{
    uint64_t hash = (uint64_t)(uintptr_t)key->what * 0x9e3779b97f4a7c15;
    return (size_t)(hash >> 32) % HTTP_KEPT_SLOTS;
}

static bool keys_equal(const struct http_answer_key *a, const struct http_answer_key *b)
{
    return a->what == b->what && a->age_s == b->age_s && a->left_s == b->left_s && a->form == b->form;
}

const struct http_kept_answer *http_kept_find(const struct http_kept *kept, const struct http_answer_key *key)
{
    const struct http_kept_answer *answer = &kept->answers[place_of(key)];
    return answer->response && keys_equal(&answer->key, key) ? answer : NULL;
}

void http_kept_put(struct http_kept *kept, const struct http_answer_key *key, unsigned status,
                   struct MHD_Response *response, int64_t now_ms)
{
    struct http_kept_answer *answer = &kept->answers[place_of(key)];
    if (answer->response)
        http_response_drop(answer->response);
    else if (kept->count++ == 0)
        kept->end_ms = now_ms + HTTP_KEPT_MS;
    *answer = (struct http_kept_answer){*key, status, response};
}

int http_kept_let_go(struct http_kept *kept, int64_t now_ms)
{
    if (kept->count == 0)
        return -1;
    if (now_ms < kept->end_ms)
        return (int)(kept->end_ms - now_ms);
    http_kept_fini(kept);
    return -1;
}

void http_kept_fini(struct http_kept *kept)
{
    for (size_t i = 0; i < HTTP_KEPT_SLOTS; i++) {
        if (kept->answers[i].response)
            http_response_drop(kept->answers[i].response);
        kept->answers[i].response = NULL;
    }
    kept->count = 0;
}
