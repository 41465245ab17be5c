/* SPDX-License-Identifier: MIT */
/*
 * saved_file_fuzz.c: any bytes as a saved file (cache/saved_file.h): as they are, and with the checksum put right. A
 * file that is taken is the one that the writer makes of what was read, to the byte, and torn where a byte is missing;
 * one that is refused is so in words.
 */
#include "broken.h"
#include "fuzz.h"
#include "saved_file.h"
#include "saved_seal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Files in memory, one to read and one to write; what was in them is gone. */
static int empty_file(int *fd)
{
    if (*fd < 0)
        *fd = memfd_create("saved", MFD_CLOEXEC);
    if (*fd < 0 || ftruncate(*fd, 0) != 0 || lseek(*fd, 0, SEEK_SET) != 0)
        abort();
    return *fd;
}

static int file_of(const uint8_t *data, size_t size)
{
    static int known = -1;
    int fd = empty_file(&known);

    if (write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

static void check_words(const struct sluice_saved *what)
{
    const char *end = memchr(what->words, '\0', sizeof what->words);

    if (what->fault == SLUICE_SAVED_WELL || end == NULL || end == what->words)
        broken("refused without a fault, or without words that end", sluice_saved_fault_name(what->fault));
    for (const char *at = what->words; at < end; at++) {
        if (*at < ' ' || *at > '~')
            broken("the words are not printable", what->words);
    }
}

/* Reads all records and has the writer write each. True: the file was taken. */
static bool copy_records(struct saved_reader *reader, struct saved_writer *writer)
{
    enum sluice_error error;
    bool more;

    do {
        struct sluice_content content;
        struct saved_record record;
        struct sluice_value *value;
        error = saved_reader_next(reader, &record, &content, &more);
        if (error != SLUICE_OK) {
            check_words(reader->what);
        } else if (more) {
            error = value_create(&content, INT32_MAX, false, &value);
            if (error == SLUICE_OK && saved_writer_add(writer, &record, value) != SLUICE_OK)
                broken("a record that was read can't be written", writer->what->words);
            if (error == SLUICE_OK)
                sluice_value_unref(value);
        }
    } while (error == SLUICE_OK && more);
    return error == SLUICE_OK;
}

static void compare(int fd, const uint8_t *data, size_t size)
{
    uint8_t *again = malloc(size + 1);

    if (again == NULL)
        abort();
    if (pread(fd, again, size + 1, 0) != (ssize_t)size || memcmp(again, data, size) != 0)
        broken("a file was taken", "and is another when it is written again");
    free(again);
}

static bool copy_file(struct saved_reader *reader, const uint8_t *data, size_t size)
{
    static int known = -1;
    struct sluice_saved told;
    struct saved_writer writer;
    int fd = empty_file(&known);

    memset(&told, 0, sizeof told);
    if (saved_writer_init(&writer, fd, reader->saved_ms, &told) != SLUICE_OK)
        abort();
    bool taken = copy_records(reader, &writer);
    if (taken && saved_writer_end(&writer) != SLUICE_OK)
        abort();
    if (taken)
        compare(fd, data, size);
    if (taken && told.entries != reader->records)
        broken("the reader counts", "otherwise than the writer");
    saved_writer_fini(&writer);
    return taken;
}

/* True: the file was taken. */
static bool read_file(const uint8_t *data, size_t size, struct sluice_saved *what)
{
    struct saved_reader reader;
    bool taken = false;

    memset(what, 0, sizeof *what);
    if (saved_reader_init(&reader, file_of(data, size), what) != SLUICE_OK)
        check_words(what);
    else
        taken = copy_file(&reader, data, size);
    if (reader.body_room > size)
        broken("more memory was asked for", "than the file is long");
    saved_reader_fini(&reader);
    return taken;
}

/* Reads a file and, if it was taken, all but its last byte, and one byte more. */
static void read_around(const uint8_t *data, size_t size)
{
    struct sluice_saved what;
    uint8_t *longer;

    if (!read_file(data, size, &what))
        return;
    if (read_file(data, size - 1, &what) || what.fault != SLUICE_SAVED_TORN)
        broken("a file without its last byte is not torn", what.words);
    longer = calloc(1, size + 1);
    if (longer == NULL)
        abort();
    memcpy(longer, data, size);
    if (read_file(longer, size + 1, &what) || what.fault != SLUICE_SAVED_DAMAGED)
        broken("something follows the end, and is passed over", what.words);
    free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *sealed = saved_seal(data, size);

    read_around(data, size);
    if (sealed != NULL)
        read_around(sealed, size);
    free(sealed);
    return 0;
}
