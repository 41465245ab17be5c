/* SPDX-License-Identifier: MIT */
/* http_url.c: the URL template of the http backend. See http_url.h. */
#include "http_url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char KEY[] = "{key}";
enum { KEY_SIZE = sizeof KEY - 1 };

/* Where text may be written, up to a bound; what goes over it is only counted. */
struct sink {
    char *data;
    size_t size;
    size_t used;
};

static void sink_put(struct sink *sink, char byte)
{
    if (sink->used < sink->size)
        sink->data[sink->used] = byte;
    sink->used++;
}

static void sink_put_text(struct sink *sink, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sink_put(sink, text[i]);
}

static bool is_unreserved(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

/* Stops when the sink is full: a shown URL is short, a key need not be. */
static void sink_put_key(struct sink *sink, const unsigned char *key, size_t key_size)
{
    static const char HEX[] = "0123456789ABCDEF";

    for (size_t i = 0; i < key_size && sink->used <= sink->size; i++) {
        if (is_unreserved(key[i])) {
            sink_put(sink, (char)key[i]);
        } else {
            sink_put(sink, '%');
            sink_put(sink, HEX[key[i] >> 4]);
            sink_put(sink, HEX[key[i] & 15]);
        }
    }
}

/* ---- the template ------------------------------------------------------------------------------------------------ */

/* Where the host begins after user and password, and where it ends, in a URL or what was meant to be one. */
static void find_authority(const char *text, size_t *begin, size_t *host, size_t *end)
{
    size_t scheme = strcspn(text, "/?#");
    const char *at;

    *begin = strncmp(text + scheme, "//", 2) == 0 ? scheme + 2 : 0;
    *end = *begin + strcspn(text + *begin, "/?#");
    at = memrchr(text + *begin, '@', *end - *begin);
    *host = at ? (size_t)(at - text) + 1 : *begin;
}

static bool template_fault(const char *text, struct backend_fault *fault, const char *what)
{
    size_t begin, host, end;

    find_authority(text, &begin, &host, &end);
    return backend_fault_set(fault, "url \"%.*s%.300s\" %s", (int)(begin > 64 ? 64 : begin), text, text + host, what);
}

bool http_url_init(struct http_url *url, const char *text, struct backend_fault *fault)
{
    struct http_url made = {0};
    const char *key;
    size_t begin, host, end;

    if (strncasecmp(text, "http://", 7) != 0 && strncasecmp(text, "https://", 8) != 0)
        return template_fault(text, fault, "does not begin with http:// or https://");
    key = strstr(text, KEY);
    if (!key)
        return template_fault(text, fault, "has no {key} in it: where does the key go?");
    if (strstr(key + KEY_SIZE, KEY))
        return template_fault(text, fault, "has {key} in it more than once");
    find_authority(text, &begin, &host, &end);
    if (host == end)
        return template_fault(text, fault, "names no host");
    made.key_at = (size_t)(key - text);
    if (made.key_at < end)
        return template_fault(text, fault, "has {key} in its host: it must stand in the path or the query");
    if (memchr(text, '#', made.key_at))
        return template_fault(text, fault, "has {key} after a '#': that part of a URL is never sent");
    if (key[-1] == '%' || key[-2] == '%')
        return template_fault(text, fault, "has {key} within a percent-encoded byte");

    made.size = strlen(text) - KEY_SIZE;
    made.secret_from = begin;
    made.secret_to = host;
    made.text = malloc(made.size + 1);
    if (!made.text)
        return backend_fault_set(fault, "out of memory for the url");
    memcpy(made.text, text, made.key_at);
    memcpy(made.text + made.key_at, key + KEY_SIZE, made.size - made.key_at + 1);
    made.shown_to = strcspn(made.text, "?#");
    *url = made;
    return true;
}

void http_url_fini(struct http_url *url)
{
    free(url->text);
}

/* ---- keys that lead out ------------------------------------------------------------------------------------------ */

/* A part of a path as it is read byte by byte. */
struct part {
    size_t size;
    bool only_dots;
};

static const struct part PART_INIT = {0, true};

static bool part_is_dots(struct part part)
{
    return part.only_dots && (part.size == 1 || part.size == 2);
}

static void part_add(struct part *part, char byte)
{
    part->size++;
    part->only_dots = part->only_dots && byte == '.';
}

/* The template's byte at `*at` as an origin reads it, percent-decoded; `*at` moves on past it. */
static char template_byte(const struct http_url *url, size_t *at)
{
    const char *text = url->text + *at;

    if (text[0] == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2])) {
        *at += 3;
        return (char)strtol((char[]){text[1], text[2], '\0'}, NULL, 16);
    }
    (*at)++;
    return text[0];
}

static bool ends_part(char byte)
{
    return byte == '/' || byte == '\\';
}

bool http_url_key_is_fit(const struct http_url *url, const void *key, size_t key_size)
{
    const char *bytes = key;
    struct part part = PART_INIT;
    size_t at = 0;

    if (memchr(url->text, '?', url->key_at))
        return true;
    while (at < url->key_at) {
        char byte = template_byte(url, &at);

        if (ends_part(byte))
            part = PART_INIT; /* without a look: what the template says is meant so */
        else
            part_add(&part, byte);
    }
    for (size_t i = 0; i < key_size; i++) {
        if (!ends_part(bytes[i])) {
            part_add(&part, bytes[i]);
        } else if (part_is_dots(part)) {
            return false;
        } else {
            part = PART_INIT;
        }
    }
    while (!strchr("?#", url->text[at])) {
        char byte = template_byte(url, &at);

        if (ends_part(byte))
            break;
        part_add(&part, byte);
    }
    return !part_is_dots(part);
}

/* ---- the URL of a key -------------------------------------------------------------------------------------------- */

char *http_url_of_key(const struct http_url *url, const void *key, size_t key_size)
{
    struct sink sink = {0};

    if (key_size > (SIZE_MAX - url->size - 1) / 3)
        return NULL;
    sink.size = url->size + 3 * key_size + 1;
    sink.data = malloc(sink.size);
    if (!sink.data)
        return NULL;
    sink_put_text(&sink, url->text, url->key_at);
    sink_put_key(&sink, key, key_size);
    sink_put_text(&sink, url->text + url->key_at, url->size - url->key_at);
    sink_put(&sink, '\0');
    return sink.data;
}

void http_url_show(const struct http_url *url, const void *key, size_t key_size, char *shown, size_t size)
{
    struct sink sink = {shown, size - 1, 0};
    size_t head_to = url->key_at < url->shown_to ? url->key_at : url->shown_to;

    sink_put_text(&sink, url->text, url->secret_from);
    sink_put_text(&sink, url->text + url->secret_to, head_to - url->secret_to);
    if (url->key_at <= url->shown_to)
        sink_put_key(&sink, key, key_size);
    sink_put_text(&sink, url->text + head_to, url->shown_to - head_to);
    if (sink.used > sink.size)
        memcpy(shown + sink.size - 3, "...", 3);
    shown[sink.used < sink.size ? sink.used : sink.size] = '\0';
}
