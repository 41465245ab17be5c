/* SPDX-License-Identifier: MIT */
/* replay.c: plays the files of folders to a fuzz target, each once: for builds without libFuzzer. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_SIZE_MAX (1 << 20)

/* Ends the program, with what could not be read. */
static _Noreturn void give_up(const char *name)
{
    perror(name);
    exit(1);
}

static void play(const char *path)
{
    uint8_t *data = malloc(FILE_SIZE_MAX);
    FILE *file = fopen(path, "rb");

    if (file == NULL || data == NULL)
        give_up(path);
    size_t size = fread(data, 1, FILE_SIZE_MAX, file);
    if (ferror(file) != 0)
        give_up(path);
    fclose(file);
    uint8_t *exact = realloc(data, size > 0 ? size : 1); /* so that a read past the end is seen */
    if (exact == NULL)
        give_up(path);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static unsigned play_folder(const char *name)
{
    DIR *folder = opendir(name);
    unsigned count = 0;
    char path[4096];

    if (folder == NULL)
        give_up(name);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", name, entry->d_name);
        printf("%s\n", path);
        fflush(stdout); /* the last one is what the target failed on */
        play(path);
        count++;
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = 0;

    for (int i = 1; i < argc; i++)
        count += play_folder(argv[i]);
    printf("%u files\n", count);
    return count > 0 ? 0 : 1;
}
