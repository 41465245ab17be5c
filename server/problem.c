/* SPDX-License-Identifier: MIT */
/* problem.c: problem+json from one table. See problem.h. */
#include "problem.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"

struct problem_row {
    unsigned status;
    const char *word;
    const char *title;
};

#define PROBLEM_ROW(id, status, word, title) {status, word, title},
static const struct problem_row problem_rows[] = {PROBLEMS(PROBLEM_ROW)};
#undef PROBLEM_ROW

static const char no_memory_body[] =
    "{\"type\": \"urn:sluice:problem:no-memory\", \"title\": \"Out of memory\", \"status\": 503}\n";

unsigned problem_status(enum problem problem)
{
    return problem_rows[problem].status;
}

const char *problem_word(enum problem problem)
{
    return problem_rows[problem].word;
}

/* The body, for free(); NULL without memory. */
static char *problem_body(const struct problem_row *row, const char *detail)
{
    char type[80];
    snprintf(type, sizeof type, "urn:sluice:problem:%s", row->word);
    json_t *object = json_pack("{s:s, s:s, s:i}", "type", type, "title", row->title, "status", (int)row->status);
    bool whole =
        object && (!detail || json_object_set_new(object, "detail", json_text(detail, strlen(detail), NULL)) == 0);
    if (whole)
        return json_body(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(object);
    return NULL;
}

void problem_make(struct http_answer *answer, enum problem problem, const char *detail)
{
    const struct problem_row *row = &problem_rows[problem];
    *answer = (struct http_answer){.status = row->status};
    char *body = problem_body(row, detail);
    answer->body = body;
    answer->size = body ? strlen(body) : 0;
    answer->release = free;
    answer->release_arg = body;
    if (!body) {
        answer->status = problem_rows[PROBLEM_NO_MEMORY].status;
        answer->body = no_memory_body;
        answer->size = sizeof no_memory_body - 1;
        answer->release = NULL;
    }
    http_answer_add(answer, "Content-Type", "application/problem+json");
    http_answer_add(answer, "Cache-Control", "no-store");
    if (answer->status == 503)
        http_answer_add(answer, "Retry-After", "1");
}

void problem_answer(struct http_request *request, enum problem problem, const char *format, ...)
{
    char detail[512];
    va_list values;
    va_start(values, format);
    vsnprintf(detail, sizeof detail, format, values);
    va_end(values);
    struct http_answer answer;
    problem_make(&answer, problem, detail);
    http_request_answer(request, &answer);
}

void problem_answer_method(struct http_request *request, const char *allow)
{
    char detail[160];
    snprintf(detail, sizeof detail, "%.64s is not one of: %s", request->method_name, allow);
    struct http_answer answer;
    problem_make(&answer, PROBLEM_METHOD, detail);
    http_answer_add(&answer, "Allow", allow);
    http_request_answer(request, &answer);
}

void problem_refuse(void *self, struct http_request *request, enum http_refusal why)
{
    static const enum problem problems[] = {
        [HTTP_REFUSAL_TARGET] = PROBLEM_BAD_TARGET,
        [HTTP_REFUSAL_FIELD_SYNTAX] = PROBLEM_FIELD_SYNTAX,
        [HTTP_REFUSAL_HOST_INVALID] = PROBLEM_HOST_INVALID,
        [HTTP_REFUSAL_HOST_MISSING] = PROBLEM_HOST_MISSING,
        [HTTP_REFUSAL_FIELD_REPEATED] = PROBLEM_FIELD_REPEATED,
        [HTTP_REFUSAL_TRANSFER_ENCODING] = PROBLEM_TRANSFER_ENCODING,
        [HTTP_REFUSAL_BODY] = PROBLEM_BODY,
        [HTTP_REFUSAL_BODY_SIZE] = PROBLEM_BODY_SIZE,
        [HTTP_REFUSAL_HEADER_SIZE] = PROBLEM_HEADER_SIZE,
    };
    (void)self;
    struct http_answer answer;
    problem_make(&answer, problems[why], NULL);
    http_request_answer(request, &answer);
}
