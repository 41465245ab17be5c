/* SPDX-License-Identifier: MIT */
/* http_transfers.c: the one file that includes curl's headers. See http_transfers.h. */
#include "http_transfers.h"

#include "http_headers.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    URL_SHOWN_MAX = 512,      /* bytes of the URL in the words of a failure */
    BODY_KEPT_MAX = 64 << 10, /* a body's room up to this is kept for the next transfer of the same handle */
    BODY_IGNORED = 256 << 10, /* bytes of an error's body that are read for the sake of the connection */
    CONNECTION_AGE_S = 300,   /* connections are not kept longer, so that a changed address is found */
    RETRY_NS = 10000000       /* after curl had no memory to wait with */
};

/* Why a transfer was broken off by us. */
enum transfer_stop { STOP_NOT, STOP_TOO_LARGE, STOP_NO_MEMORY, STOP_ENOUGH };

/* One easy handle, used again and again. `load` is NULL while it is idle. */
struct transfer {
    struct http_transfers *transfers;
    struct transfer *next_idle;
    CURL *easy;
    struct sluice_load *load;
    char *body;
    size_t body_size;
    size_t body_capacity;
    size_t ignored;
    enum transfer_stop stop;
    bool head_ended; /* the empty line after the answer's headers has come */
    char words[CURL_ERROR_SIZE];
};

struct http_transfers {
    struct http_backend_options options; /* without its url */
    const struct http_url *url;
    struct http_queue *queue;
    CURLM *multi;
    struct curl_slist *headers;
    struct transfer **all; /* every handle there is; room for one a slot */
    size_t count;
    struct transfer *idle;
};

/* ---- head and body ----------------------------------------------------------------------------------------------- */

/* 206 is none of ours: no part was asked for. */
static bool status_is_value(long status)
{
    return status >= 200 && status <= 299 && status != 206;
}

static long transfer_status(const struct transfer *transfer)
{
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/*
 * CURLOPT_HEADERFUNCTION: whole lines only, those of interim answers too. To curl, a connection that is closed within
 * the head ends an answer well, without a body: only the empty line tells.
 */
static size_t transfer_head(char *line, size_t one, size_t size, void *arg)
{
    struct transfer *transfer = arg;

    (void)one;
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0)
        transfer->head_ended = false;
    else if (size > 0 && (line[0] == '\r' || line[0] == '\n'))
        transfer->head_ended = true;
    return size;
}

/* Room for `more` bytes, which are within the limit. */
static bool body_reserve(struct transfer *transfer, size_t more)
{
    size_t limit = transfer->transfers->options.body_size_max;
    size_t needed = transfer->body_size + more;
    size_t capacity = transfer->body_capacity;
    char *body;

    if (needed <= capacity)
        return true;
    capacity = capacity < limit / 2 ? capacity * 2 : limit; /* doubled: large ones are moved by their pages */
    if (capacity < needed)
        capacity = needed;
    body = realloc(transfer->body, capacity);
    if (!body)
        return false;
    transfer->body = body;
    transfer->body_capacity = capacity;
    return true;
}

/* CURLOPT_WRITEFUNCTION: anything but `size` ends the transfer. */
static size_t transfer_write(char *data, size_t one, size_t size, void *arg)
{
    struct transfer *transfer = arg;

    (void)one;
    if (!status_is_value(transfer_status(transfer))) {
        transfer->ignored += size;
        if (transfer->ignored > BODY_IGNORED)
            transfer->stop = STOP_ENOUGH;
    } else if (size > transfer->transfers->options.body_size_max - transfer->body_size) {
        transfer->stop = STOP_TOO_LARGE;
    } else if (!body_reserve(transfer, size)) {
        transfer->stop = STOP_NO_MEMORY;
    } else {
        memcpy(transfer->body + transfer->body_size, data, size);
        transfer->body_size += size;
    }
    return transfer->stop == STOP_NOT ? size : 0;
}

static void body_clear(struct transfer *transfer)
{
    if (transfer->body_capacity > BODY_KEPT_MAX) {
        free(transfer->body);
        transfer->body = NULL;
        transfer->body_capacity = 0;
    }
    transfer->body_size = 0;
}

/* ---- transfers --------------------------------------------------------------------------------------------------- */

static void transfer_destroy(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    free(transfer->body);
    free(transfer);
}

/* What is the same for every key. The strings that are set here outlive the handle or are copied by curl. */
static bool transfer_configure(struct transfer *transfer)
{
    struct http_transfers *transfers = transfer->transfers;
    CURL *easy = transfer->easy;
    curl_off_t limit = (curl_off_t)transfers->options.body_size_max;
    bool ok;

    ok = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_USERAGENT, HTTP_USER_AGENT) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfers->headers) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_AGE_S) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, limit) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)transfers->options.timeout_ms) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)transfers->options.connect_timeout_ms) == CURLE_OK;
    return ok && curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->words) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, transfer_head) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, transfer_write) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK;
}

/* An idle handle, the last one used first, or a new one. NULL: out of memory. */
static struct transfer *transfer_get(struct http_transfers *transfers)
{
    struct transfer *transfer = transfers->idle;

    if (transfer) {
        transfers->idle = transfer->next_idle;
        return transfer;
    }
    if (transfers->count == transfers->queue->running_max)
        abort(); /* as many handles as slots, and whoever asks has a slot */
    transfer = calloc(1, sizeof *transfer);
    if (!transfer)
        return NULL;
    transfer->transfers = transfers;
    transfer->easy = curl_easy_init();
    if (!transfer->easy) {
        transfer_destroy(transfer);
        return NULL;
    }
    transfers->all[transfers->count++] = transfer;
    return transfer;
}

static void transfer_put_back(struct transfer *transfer)
{
    transfer->load = NULL;
    transfer->next_idle = transfer->transfers->idle;
    transfer->transfers->idle = transfer;
}

/*
 * The handle is reset before: curl sends a request again that met a kept connection which the origin gave up just then,
 * but counts these times for the life of the handle, and after five fails the transfer. Kept connections are not the
 * handle's: they stay.
 */
static bool transfer_begin(struct transfer *transfer, struct sluice_load *load)
{
    struct http_transfers *transfers = transfer->transfers;
    char *url = http_url_of_key(transfers->url, sluice_load_key(load), sluice_load_key_size(load));
    bool ok;

    curl_easy_reset(transfer->easy);
    ok = url && transfer_configure(transfer) && curl_easy_setopt(transfer->easy, CURLOPT_URL, url) == CURLE_OK;
    free(url);
    transfer->load = load;
    transfer->stop = STOP_NOT;
    transfer->ignored = 0;
    transfer->head_ended = false;
    transfer->words[0] = '\0';
    return ok && curl_multi_add_handle(transfers->multi, transfer->easy) == CURLM_OK;
}

/* ---- the end of a transfer --------------------------------------------------------------------------------------- */

static const char *transfer_header(const struct transfer *transfer, const char *name, size_t index)
{
    struct curl_header *header;

    return curl_easy_header(transfer->easy, name, index, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

/* The time that a header names; HTTP_NO_TIME: it is not there, or can't be read. */
static int64_t transfer_time(const struct transfer *transfer, const char *name)
{
    const char *value = transfer_header(transfer, name, 0);

    return value ? (int64_t)curl_getdate(value, NULL) : HTTP_NO_TIME;
}

static int64_t transfer_ttl_ms(const struct transfer *transfer)
{
    struct http_cache_control control = {0};
    const char *value;

    if (!transfer->transfers->options.respect_cache_control)
        return SLUICE_TTL_DEFAULT;
    for (size_t i = 0; (value = transfer_header(transfer, "Cache-Control", i)); i++)
        http_cache_control_add(&control, value);
    for (size_t i = 0; (value = transfer_header(transfer, "Vary", i)); i++)
        http_cache_control_add_vary(&control, value);
    if (transfer_header(transfer, "Expires", 0)) {
        int64_t date_s = transfer_time(transfer, "Date");

        http_cache_control_set_expires(&control, transfer_time(transfer, "Expires"),
                                       date_s == HTTP_NO_TIME ? (int64_t)time(NULL) : date_s);
    }
    return http_cache_control_ttl_ms(&control, http_age_s(transfer_header(transfer, "Age", 0)),
                                     transfer->transfers->options.ttl_max_ms);
}

/* The first Content-Encoding header that names a coding; NULL: the body is as it is. */
static const char *transfer_coding(const struct transfer *transfer)
{
    const char *value;
    size_t i = 0;

    do
        value = transfer_header(transfer, "Content-Encoding", i++);
    while (value && http_coding_is_identity(value));
    return value;
}

/* The whole answer is here and says that it is a value. */
static void transfer_complete(struct transfer *transfer, struct sluice_load *load, const char *url)
{
    struct sluice_content content = SLUICE_CONTENT_INIT;
    const char *coding = transfer_coding(transfer);
    const char *type = transfer_header(transfer, "Content-Type", 0);
    const char *etag = transfer_header(transfer, "ETag", 0);
    char words[URL_SHOWN_MAX + 256];

    if (coding) {
        snprintf(words, sizeof words, "the answer has a content coding that was not asked for, %.64s (%s)", coding,
                 url);
        sluice_load_fail(load, words);
        return;
    }
    content.data = transfer->body;
    content.size = transfer->body_size;
    content.content_type = type && backend_content_type_is_fit(type) ? type : NULL;
    content.etag = etag && http_etag_is_strong(etag) ? etag : NULL;
    content.ttl_ms = transfer_ttl_ms(transfer);
    sluice_load_complete(load, &content);
}

/* Ends the load with what the transfer came to. An answer that was broken off by us still says what its status says. */
static void transfer_tell(struct transfer *transfer, struct sluice_load *load, CURLcode code)
{
    long status = transfer_status(transfer);
    bool value = status_is_value(status);
    bool whole = code == CURLE_OK && transfer->head_ended;
    bool answered = whole || transfer->stop == STOP_ENOUGH || (code == CURLE_FILESIZE_EXCEEDED && !value);
    bool too_large = transfer->stop == STOP_TOO_LARGE || (code == CURLE_FILESIZE_EXCEEDED && value);
    char url[URL_SHOWN_MAX];
    char words[URL_SHOWN_MAX + CURL_ERROR_SIZE + 64];

    http_url_show(transfer->transfers->url, sluice_load_key(load), sluice_load_key_size(load), url, sizeof url);
    if (answered && (status == 404 || status == 410)) {
        sluice_load_not_found(load);
    } else if (answered && value) {
        transfer_complete(transfer, load, url);
    } else if (answered) {
        snprintf(words, sizeof words, "HTTP %ld from %s", status, url);
        sluice_load_fail(load, words);
    } else if (too_large) {
        snprintf(words, sizeof words, "the answer is larger than %zu bytes (%s)",
                 transfer->transfers->options.body_size_max, url);
        sluice_load_too_large(load, words);
    } else if (transfer->stop == STOP_NO_MEMORY) {
        snprintf(words, sizeof words, "out of memory for the answer (%s)", url);
        sluice_load_fail(load, words);
    } else if (code == CURLE_OK) {
        snprintf(words, sizeof words, "the connection was closed within the answer's head (%s)", url);
        sluice_load_fail(load, words);
    } else {
        snprintf(words, sizeof words, "%s (%s)", transfer->words[0] ? transfer->words : curl_easy_strerror(code), url);
        if (code == CURLE_OPERATION_TIMEDOUT)
            sluice_load_time_out(load, words);
        else
            sluice_load_fail(load, words);
    }
}

/* The slot is given back before the load is ended: who hears of the end finds the slot free. */
static void transfer_end(struct transfer *transfer, CURLcode code)
{
    struct sluice_load *load = transfer->load;

    curl_multi_remove_handle(transfer->transfers->multi, transfer->easy);
    http_queue_release(transfer->transfers->queue);
    transfer_tell(transfer, load, code);
    body_clear(transfer);
    transfer_put_back(transfer);
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

void http_transfers_start(struct http_transfers *transfers, struct sluice_load *load)
{
    struct transfer *transfer;

    if (!sluice_load_wanted(load)) {
        http_queue_release(transfers->queue);
        sluice_load_fail(load, "nobody waited for it any more when its turn came");
        return;
    }
    transfer = transfer_get(transfers);
    if (transfer && transfer_begin(transfer, load))
        return;
    if (transfer)
        transfer_put_back(transfer);
    http_queue_release(transfers->queue);
    sluice_load_fail(load, "out of memory for the request");
}

/* True if any transfer ended. */
static bool end_transfers(struct http_transfers *transfers)
{
    bool any = false;
    int left;
    CURLMsg *message;

    while ((message = curl_multi_info_read(transfers->multi, &left))) {
        CURLcode code = message->data.result;
        char *transfer = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        transfer_end((struct transfer *)(void *)transfer, code);
        any = true;
    }
    return any;
}

void http_transfers_run(struct http_transfers *transfers)
{
    int running; /* curl wants to tell it */
    bool fine = curl_multi_perform(transfers->multi, &running) == CURLM_OK;

    if (end_transfers(transfers))
        return;
    fine = fine && curl_multi_poll(transfers->multi, NULL, 0, INT_MAX, NULL) == CURLM_OK;
    if (!fine)
        nanosleep(&(struct timespec){0, RETRY_NS}, NULL);
}

void http_transfers_wake(struct http_transfers *transfers)
{
    curl_multi_wakeup(transfers->multi);
}

void http_transfers_abort(struct http_transfers *transfers, const char *reason)
{
    for (size_t i = 0; i < transfers->count; i++) {
        struct sluice_load *load = transfers->all[i]->load;

        if (load) {
            curl_multi_remove_handle(transfers->multi, transfers->all[i]->easy);
            http_queue_release(transfers->queue);
            transfer_put_back(transfers->all[i]);
            sluice_load_fail(load, reason);
        }
    }
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

/* What curl itself has to say against the URL of a key. */
static bool check_url(const struct http_url *url, struct backend_fault *fault)
{
    char *text = http_url_of_key(url, "k", 1);
    CURLU *parts = curl_url();
    CURLUcode code = text && parts ? curl_url_set(parts, CURLUPART_URL, text, 0) : CURLUE_OUT_OF_MEMORY;
    char shown[URL_SHOWN_MAX / 2];

    curl_url_cleanup(parts);
    free(text);
    if (code == CURLUE_OK)
        return true;
    http_url_show(url, "KEY", 3, shown, sizeof shown);
    return backend_fault_set(fault, "url %s: %s", shown, curl_url_strerror(code));
}

void http_transfers_destroy(struct http_transfers *transfers)
{
    if (!transfers)
        return;
    while (transfers->idle) {
        struct transfer *transfer = transfers->idle;

        transfers->idle = transfer->next_idle;
        transfer_destroy(transfer);
    }
    curl_multi_cleanup(transfers->multi);
    curl_slist_free_all(transfers->headers);
    free(transfers->all);
    free(transfers);
    curl_global_cleanup();
}

struct http_transfers *http_transfers_create(const struct http_backend_options *options, const struct http_url *url,
                                             struct http_queue *queue, struct backend_fault *fault)
{
    struct http_transfers *transfers = calloc(1, sizeof *transfers);

    if (!transfers || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(transfers);
        backend_fault_set(fault, "libcurl does not start: out of memory");
        return NULL;
    }
    transfers->options = *options;
    transfers->options.url = NULL;
    transfers->url = url;
    transfers->queue = queue;
    transfers->all = calloc(options->max_concurrent, sizeof(struct transfer *));
    transfers->headers = curl_slist_append(NULL, "Accept-Encoding: identity");
    transfers->multi = curl_multi_init();
    if (!transfers->all || !transfers->headers || !transfers->multi ||
        curl_multi_setopt(transfers->multi, CURLMOPT_MAXCONNECTS, (long)options->max_concurrent) != CURLM_OK) {
        backend_fault_set(fault, "out of memory for %zu transfers", options->max_concurrent);
        http_transfers_destroy(transfers);
        return NULL;
    }
    if (!check_url(url, fault)) {
        http_transfers_destroy(transfers);
        return NULL;
    }
    return transfers;
}
