/* SPDX-License-Identifier: MIT */
/*
 * keys.h: the keys and values that the library is measured with: 16 bytes and 64 bytes, known by number. The programs
 * in other languages make the same ones.
 *
 * May be used by: tests/bench/library. Any thread. What can't be done ends the program.
 */
#ifndef LIBRARY_KEYS_H
#define LIBRARY_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum { KEYS_KEY_BYTES = 16, KEYS_VALUE_BYTES = 64 };

/* Mixes 64 bits (splitmix64's finish): one to one, so that numbers that differ stay different. */
static inline uint64_t keys_mix(uint64_t number)
{
    number += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

/* The key of a number: the 16 hexadecimal digits of its mix, the last digit first. Not terminated. */
void keys_write(uint64_t number, char key[KEYS_KEY_BYTES]);

/* Its value: its lowest seven bits in each byte. */
void keys_write_value(uint64_t number, char value[KEYS_VALUE_BYTES]);

/* The keys from 0 to `count` - 1, one behind the other. The caller frees them. */
char *keys_create(size_t count);

static inline const char *keys_at(const char *keys, size_t number)
{
    return keys + number * KEYS_KEY_BYTES;
}

/* Numbers of keys, in the order in which they are asked for. */
struct sequence {
    const uint32_t *numbers;
    size_t count;
};

/* Maps a file that library_zipf wrote; every number in it is under `keys`. */
struct sequence sequence_open(const char *path, size_t keys);

#endif
