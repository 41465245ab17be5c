/* SPDX-License-Identifier: MIT */
/* keys.c: see keys.h. */
#include "keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void keys_write(uint64_t number, char key[KEYS_KEY_BYTES])
{
    uint64_t mixed = keys_mix(number);

    for (size_t i = 0; i < KEYS_KEY_BYTES; i++) {
        key[i] = "0123456789abcdef"[mixed & 15];
        mixed >>= 4;
    }
}

void keys_write_value(uint64_t number, char value[KEYS_VALUE_BYTES])
{
    memset(value, (int)(number & 127), KEYS_VALUE_BYTES);
}

char *keys_create(size_t count)
{
    char *keys = malloc(count * KEYS_KEY_BYTES);

    if (keys == NULL) {
        fprintf(stderr, "no memory for %zu keys\n", count);
        exit(1);
    }
    for (size_t number = 0; number < count; number++)
        keys_write(number, keys + number * KEYS_KEY_BYTES);
    return keys;
}

struct sequence sequence_open(const char *path, size_t keys)
{
    struct sequence sequence = {NULL, 0};
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    void *mapped = MAP_FAILED;

    if (file >= 0 && fstat(file, &status) == 0 && status.st_size >= (off_t)sizeof(uint32_t))
        mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
    if (mapped == MAP_FAILED) {
        fprintf(stderr, "cannot read a sequence from %s: %m\n", path);
        exit(2);
    }
    close(file);
    sequence.numbers = mapped;
    sequence.count = (size_t)status.st_size / sizeof(uint32_t);
    for (size_t i = 0; i < sequence.count; i++) {
        if (sequence.numbers[i] >= keys) {
            fprintf(stderr, "%s asks for key %u, of %zu\n", path, sequence.numbers[i], keys);
            exit(2);
        }
    }
    return sequence;
}
