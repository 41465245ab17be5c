/* SPDX-License-Identifier: MIT */
/*
 * test.h: cmocka with what it needs before it. Every test file of the library includes this one.
 *
 * cmocka's assertions jump out of the test: they are for the thread that runs the tests alone. Other threads and
 * callbacks record what they saw, and the test looks at it afterwards.
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
