/* SPDX-License-Identifier: MIT */
/* loader_fault.c: see loader_fault.h. */
#include "loader_fault.h"

#include "fault.h"
#include "test.h"

void loader_expect_no_memory(bool (*make)(void *fixture, struct backend *backend, struct backend_fault *fault),
                             void *fixture, const char *words, size_t allocations_min)
{
    size_t refused = 1;

    for (size_t nth = 1; refused > 0; nth++) {
        struct backend backend = {0};
        struct backend_fault fault = {""};
        bool made;

        fault_arm(nth, FAULT_THIS_THREAD, false);
        made = make(fixture, &backend, &fault);
        refused = fault_disarm();
        if (made != (refused == 0))
            fail_msg("allocation %zu: %s", nth, made ? "not missed" : fault.text);
        if (made) {
            assert_true(nth > allocations_min);
            backend.destroy(backend.self);
        } else {
            assert_string_equal(fault.text, words);
            assert_null(backend.kind);
        }
    }
}
