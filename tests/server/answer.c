/* SPDX-License-Identifier: MIT */
/* answer.c: see answer.h. */
#include "answer.h"

#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bytes of a head; the server's answers have some hundred. */
enum { HEAD_MAX = 16384 };

/* "HTTP/1.1 200 OK" */
static void parse_status_line(const char *line, struct answer *answer)
{
    int minor = line[7] - '0';

    if (strncmp(line, "HTTP/1.", 7) != 0 || minor < 0 || minor > 1 || line[8] != ' ' ||
        strspn(line + 9, "0123456789") != 3 || line[12] != ' ')
        fail_msg("not a status line: %s", line);
    answer->version = 10 + minor;
    answer->status = (int)strtol(line + 9, NULL, 10);
}

static void parse_field(char *line, struct answer *answer)
{
    char *colon = strchr(line, ':');

    if (!colon || colon == line || strcspn(line, " \t") < (size_t)(colon - line))
        fail_msg("not a header: %s", line);
    *colon = '\0';
    if (answer->fields_count == ANSWER_FIELDS_MAX)
        fail_msg("more headers than %d", ANSWER_FIELDS_MAX);
    answer->fields[answer->fields_count++] = (struct answer_field){line, colon + 1 + strspn(colon + 1, " ")};
}

/* Cuts the head into lines; each ends with "\r\n", which stands nowhere else. */
static void parse_head(struct answer *answer)
{
    char *line = answer->head;

    for (bool first = true; *line; first = false) {
        char *end = strstr(line, "\r\n");

        if (!end || strcspn(line, "\r\n") != (size_t)(end - line))
            fail_msg("a line of the head does not end with CR LF: %s", line);
        *end = '\0';
        if (first)
            parse_status_line(line, answer);
        else
            parse_field(line, answer);
        line = end + 2;
    }
}

/* How long the body is; false: it is all that comes until the end of the connection. */
static bool find_body_size(const struct answer *answer, enum answer_to to, size_t *size)
{
    const char *length = answer_field(answer, "Content-Length");
    char *end;

    *size = 0;
    if (answer_field(answer, "Transfer-Encoding"))
        fail_msg("an answer with a transfer coding");
    if (to == ANSWER_TO_HEAD || answer->status / 100 == 1 || answer->status == 204 || answer->status == 304)
        return true;
    if (!length)
        return false;
    errno = 0;
    *size = strtoull(length, &end, 10);
    if (length[0] < '0' || length[0] > '9' || *end || errno != 0)
        fail_msg("not a Content-Length: %s", length);
    return true;
}

static char *copy(const char *bytes, size_t size)
{
    char *copied = malloc(size + 1);

    if (!copied)
        fail_msg("out of memory for an answer");
    memcpy(copied, bytes, size);
    copied[size] = '\0';
    return copied;
}

bool answer_parse(const char *bytes, size_t size, bool ended, enum answer_to to, struct answer *answer, size_t *used)
{
    const char *head_end = memmem(bytes, size, "\r\n\r\n", 4);
    struct answer parsed = {0};
    size_t head_size;
    bool whole;

    if (!head_end) {
        if (size > HEAD_MAX)
            fail_msg("no end of the head within %d bytes", HEAD_MAX);
        return false;
    }
    head_size = (size_t)(head_end - bytes) + 4;
    parsed.head = copy(bytes, head_size - 2);
    parse_head(&parsed);
    if (find_body_size(&parsed, to, &parsed.body_size)) {
        whole = size - head_size >= parsed.body_size;
    } else {
        parsed.body_size = size - head_size;
        whole = ended;
    }
    if (!whole) {
        answer_fini(&parsed);
        return false;
    }
    parsed.body = copy(bytes + head_size, parsed.body_size);
    *used = head_size + parsed.body_size;
    *answer = parsed;
    return true;
}

void answer_fini(struct answer *answer)
{
    free(answer->head);
    free(answer->body);
    *answer = (struct answer){0};
}

const char *answer_field(const struct answer *answer, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < answer->fields_count; i++) {
        if (strcasecmp(answer->fields[i].name, name) != 0)
            continue;
        if (value)
            fail_msg("the header %s stands twice: \"%s\" and \"%s\"", name, value, answer->fields[i].value);
        value = answer->fields[i].value;
    }
    return value;
}
