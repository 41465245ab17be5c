/* SPDX-License-Identifier: MIT */
/* spec_value.c: see spec_value.h. A number is read as Java does: an optional sign, and digits. */
#include "spec_value.h"

#include "option.h"

#include <string.h>

#define SECOND_MS       INT64_C(1000)
#define MINUTE_MS       (60 * SECOND_MS)
#define HOUR_MS         (60 * MINUTE_MS)
#define DAY_MS          (24 * HOUR_MS)
#define FRACTION_DIGITS 9 /* as Java has nanoseconds */

static const char NOT_A_COUNT[] = "must be a whole number";
static const char NOT_A_SPAN[] = "must be a duration like 10m (d, h, m, s or ms) or PT10M";
static const char NEGATIVE[] = "must not be negative";
static const char TOO_LARGE[] = "is too large";
static const char TOO_LONG[] = "is too long";
static const char TOO_FINE[] = "must be whole milliseconds";

/* An ASCII letter in upper case; anything else as it is. Not toupper(), which asks the locale. */
static char upper(char letter)
{
    if (letter >= 'a' && letter <= 'z')
        return (char)(letter - 'a' + 'A');
    return letter;
}

static bool is_blank(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

struct piece piece_trim(struct piece piece)
{
    while (piece.size > 0 && is_blank(piece.at[0])) {
        piece.at++;
        piece.size--;
    }
    while (piece.size > 0 && is_blank(piece.at[piece.size - 1]))
        piece.size--;
    return piece;
}

bool piece_is(struct piece piece, const char *word)
{
    return piece.size == strlen(word) && memcmp(piece.at, word, piece.size) == 0;
}

/* Takes one byte off the front, if it is this one, or this letter in either case. */
static bool take(struct piece *rest, char byte)
{
    if (rest->size == 0 || upper(rest->at[0]) != byte)
        return false;
    rest->at++;
    rest->size--;
    return true;
}

/* Takes a sign, if there is one: whether it is a minus. */
static bool take_minus(struct piece *rest)
{
    return !take(rest, '+') && take(rest, '-');
}

/* Takes digits off the front and returns how many; `*number` is INT64_MAX, and `*large` set, if it is over that. */
static size_t take_digits(struct piece *rest, int64_t *number, bool *large)
{
    size_t count = 0;

    *number = 0;
    for (; rest->size > 0 && rest->at[0] >= '0' && rest->at[0] <= '9'; count++) {
        *large = *large || __builtin_mul_overflow(*number, INT64_C(10), number) ||
                 __builtin_add_overflow(*number, (int64_t)(rest->at[0] - '0'), number);
        rest->at++;
        rest->size--;
    }
    if (*large)
        *number = INT64_MAX;
    return count;
}

const char *spec_value_count(struct piece piece, int64_t *count)
{
    bool large = false;
    bool minus = take_minus(&piece);
    int64_t number;

    if (take_digits(&piece, &number, &large) == 0 || piece.size > 0)
        return NOT_A_COUNT;
    if (minus && number > 0)
        return NEGATIVE;
    if (large)
        return TOO_LARGE;
    *count = number;
    return NULL;
}

/* A number and a unit. */
static const char *read_simple(struct piece rest, int64_t *span_ms)
{
    static const struct {
        char letter;
        int64_t ms;
    } units[] = {{'D', DAY_MS}, {'H', HOUR_MS}, {'M', MINUTE_MS}, {'S', SECOND_MS}};
    bool large = false;
    bool minus = take_minus(&rest);
    int64_t number;
    int64_t unit_ms = 0;

    if (take_digits(&rest, &number, &large) == 0)
        return NOT_A_SPAN;
    if (piece_is(rest, "ms"))
        unit_ms = 1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (rest.size == 1 && upper(rest.at[0]) == units[i].letter)
            unit_ms = units[i].ms;
    }
    if (unit_ms == 0)
        return NOT_A_SPAN;
    if (minus && number > 0)
        return NEGATIVE;
    if (large || __builtin_mul_overflow(number, unit_ms, &number))
        return TOO_LONG;
    *span_ms = number;
    return NULL;
}

/* The digits behind the point of seconds, of which there may be none. */
static const char *take_fraction(struct piece *rest, int64_t *ms)
{
    *ms = 0;
    for (int64_t place_ms = 100, digits = 0; rest->size > 0 && rest->at[0] >= '0' && rest->at[0] <= '9';
         rest->at++, rest->size--) {
        if (++digits > FRACTION_DIGITS)
            return NOT_A_SPAN;
        if (place_ms == 0 && rest->at[0] != '0')
            return TOO_FINE;
        *ms += place_ms * (rest->at[0] - '0');
        place_ms /= 10;
    }
    return NULL;
}

/*
 * Takes a number and its letter, one of "DHMS" from `*next` on, which becomes the one after it. A number may have a
 * sign of its own, and seconds a fraction.
 */
static const char *take_part(struct piece *rest, size_t *next, int64_t *part_ms)
{
    static const char letters[] = "DHMS";
    static const int64_t letters_ms[] = {DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
    bool large = false;
    bool minus = take_minus(rest);
    int64_t number;
    int64_t fraction_ms = 0;
    const char *fault;

    if (take_digits(rest, &number, &large) == 0 || *next == strlen(letters))
        return NOT_A_SPAN;
    if (take(rest, '.')) {
        *next = strlen("DHM");
        fault = take_fraction(rest, &fraction_ms);
        if (fault != NULL)
            return fault;
    }
    while (*next < sizeof letters_ms / sizeof letters_ms[0] && !take(rest, letters[*next]))
        ++*next;
    if (*next == sizeof letters_ms / sizeof letters_ms[0])
        return NOT_A_SPAN;
    if (large || __builtin_mul_overflow(number, letters_ms[*next], &number) ||
        __builtin_add_overflow(number, fraction_ms, &number))
        return TOO_LONG;
    ++*next;
    *part_ms = minus ? -number : number;
    return NULL;
}

/* ISO 8601, as Java's Duration reads it: P, days, and behind a T hours, minutes and seconds. */
static const char *read_iso(struct piece rest, int64_t *span_ms)
{
    bool minus = take_minus(&rest);
    bool timed = false;
    size_t next = 0;
    int64_t total_ms = 0;
    int64_t part_ms;
    const char *fault;

    if (!take(&rest, 'P') || rest.size == 0)
        return NOT_A_SPAN;
    while (rest.size > 0) {
        if (!timed && take(&rest, 'T')) {
            timed = true;
            next = strlen("D");
        } else if (!timed && next > 0) {
            return NOT_A_SPAN;
        }
        fault = take_part(&rest, &next, &part_ms);
        if (fault != NULL)
            return fault;
        if (!timed && next != strlen("D"))
            return NOT_A_SPAN;
        if (__builtin_add_overflow(total_ms, part_ms, &total_ms))
            return TOO_LONG;
    }
    if (minus && __builtin_sub_overflow(INT64_C(0), total_ms, &total_ms))
        return TOO_LONG;
    if (total_ms < 0)
        return NEGATIVE;
    *span_ms = total_ms;
    return NULL;
}

const char *spec_value_span(struct piece piece, int64_t *span_ms)
{
    bool iso = memchr(piece.at, 'p', piece.size) != NULL || memchr(piece.at, 'P', piece.size) != NULL;
    int64_t read_ms = 0;
    const char *fault = iso ? read_iso(piece, &read_ms) : read_simple(piece, &read_ms);

    if (fault == NULL && read_ms > OPTION_SPAN_MS_MAX)
        fault = TOO_LONG;
    if (fault == NULL)
        *span_ms = read_ms;
    return fault;
}
