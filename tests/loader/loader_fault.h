/* SPDX-License-Identifier: MIT */
/*
 * loader_fault.h: makes a backend again and again while one allocation after the other is refused. Link the CMake
 * target sluice_test_fault. Asserts: for the thread that runs the tests.
 */
#ifndef TESTS_LOADER_LOADER_FAULT_H
#define TESTS_LOADER_LOADER_FAULT_H

#include "backend.h"

/*
 * `make` calls the backend's own create function with the options of the fixture. With an allocation refused it must
 * say that in these words and leave no backend. `allocations_min` it must make at least, so that the test can fail.
 */
void loader_expect_no_memory(bool (*make)(void *fixture, struct backend *backend, struct backend_fault *fault),
                             void *fixture, const char *words, size_t allocations_min);

#endif
