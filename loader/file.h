/* SPDX-License-Identifier: MIT */
/*
 * file.h: loads values from the regular files beneath one directory, on a bounded pool of threads. The key is the path
 * below it. openat2() with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS sees to it that neither `..` nor a link leads out.
 *
 * Not-found is whatever is no regular file there: no such name, a directory, a link, a FIFO. So is a key that is not
 * the plain name of one: with an empty, a "." or a ".." part, a slash at either end, a NUL. Thus every file has one key
 * and no more. A file that can't be read is a failure, and so is one that changes each time it is read.
 *
 * A value is what the file held at one time: its time of change has to be the same after the reading as before, and
 * so long ago that a write in between would have changed it; for a file written just now the load pauses 20 ms. What
 * that can't tell is a writer who empties a file, or writes a part of it, and then does nothing for as long; nor writes
 * that the filesystem stamps with coarser times, such as FAT's. A file that is replaced by rename() is safe from both.
 *
 * The directory is looked up by its name for each load: a link that is set to another one takes effect at once.
 */
#ifndef LOADER_FILE_H
#define LOADER_FILE_H

#include "backend.h"

struct file_backend_options {
    const char *directory;
    const char *content_type; /* media type of the values, or NULL */
    size_t file_size_max;     /* bytes; a larger file is a failure */
    size_t max_concurrent;    /* threads; at least 1 */
    size_t queue_max;         /* loads that wait for one; over it they are refused */
};

/*
 * Looks whether the directory can be used and starts the threads. `options` is copied. On false `fault` says what is
 * wrong.
 */
bool file_backend_create(const struct file_backend_options *options, struct backend *backend,
                         struct backend_fault *fault);

#endif
