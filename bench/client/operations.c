#include "client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

unsigned file_count = 100;
const char *source_directory;

static const char *file_name(struct worker *worker)
{
    static char name[32];
    /* Each client starts elsewhere. */
    snprintf(name, sizeof name, "f%u", (unsigned)((worker->turn + worker->index * 17u) % file_count));
    return name;
}

static int do_stat(struct worker *worker)
{
    struct stat attributes;
    return fstatat(worker->dirfd, file_name(worker), &attributes, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int do_open(struct worker *worker)
{
    int fd = openat(worker->dirfd, file_name(worker), O_RDONLY);
    if (fd < 0)
        return -errno;
    return close(fd) < 0 ? -errno : 0;
}

static int do_create(struct worker *worker)
{
    int fd = openat(worker->own, "new", O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd < 0 || close(fd) < 0)
        return -errno;
    return unlinkat(worker->own, "new", 0) < 0 ? -errno : 0;
}

static int do_mkdir(struct worker *worker)
{
    if (mkdirat(worker->own, "made", 0755) < 0)
        return -errno;
    return unlinkat(worker->own, "made", AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int do_rename(struct worker *worker)
{
    const char *from = worker->turn % 2 == 0 ? "a" : "b";
    const char *to = worker->turn % 2 == 0 ? "b" : "a";
    return renameat(worker->own, from, worker->own, to) < 0 ? -errno : 0;
}

static int do_readdir(struct worker *worker)
{
    static char entries[32768];
    int fd = openat(worker->dirfd, ".", O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return -errno;
    long count;
    while ((count = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0)
        ;
    int error = errno;
    close(fd);
    return count < 0 ? -error : 0;
}

/* The directory has another time at each turn, as one in which something was made: what is known of it is out of date. */
static int do_readdir_changed(struct worker *worker)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {.tv_sec = 1000000000 + worker->index, .tv_nsec = (long)(worker->turn % 1000000000)}};
    if (utimensat(AT_FDCWD, source_directory, times, 0) < 0)
        return -errno;
    return do_readdir(worker);
}

static int do_read(struct worker *worker)
{
    static char bytes[4096];
    int fd = openat(worker->dirfd, file_name(worker), O_RDONLY);
    if (fd < 0)
        return -errno;
    ssize_t count = read(fd, bytes, sizeof bytes);
    int error = errno;
    close(fd);
    return count < 0 ? -error : 0;
}

static int do_write(struct worker *worker)
{
    static const char bytes[4096];
    char name[32];
    snprintf(name, sizeof name, "w%u", (unsigned)(worker->turn % 32));
    int fd = openat(worker->own, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        return -errno;
    ssize_t count = write(fd, bytes, sizeof bytes);
    int error = errno;
    close(fd);
    return count < 0 ? -error : 0;
}

/* Of a hundred: 50 stat, 25 read, 10 write, 5 create and unlink, 5 rename, 5 readdir. */
static int do_mixed(struct worker *worker)
{
    worker->random = worker->random * 1664525u + 1013904223u;
    unsigned pick = (worker->random >> 16) % 100;
    if (pick < 50)
        return do_stat(worker);
    if (pick < 75)
        return do_read(worker);
    if (pick < 85)
        return do_write(worker);
    if (pick < 90)
        return do_create(worker);
    if (pick < 95) {
        int result = renameat(worker->own, "a", worker->own, "b") < 0 ? -errno : 0;
        return result < 0 ? result : renameat(worker->own, "b", worker->own, "a") < 0 ? -errno : 0;
    }
    return do_readdir(worker);
}

static const struct {
    const char *name;
    operation *run;
} operations[] = {
    {"stat", do_stat},       {"open", do_open},
    {"create", do_create},   {"mkdir", do_mkdir},
    {"rename", do_rename},   {"readdir", do_readdir},
    {"mixed", do_mixed},     {"readdir-changed", do_readdir_changed},
};

operation *operation_by_name(const char *name)
{
    for (size_t at = 0; at < sizeof operations / sizeof *operations; at++)
        if (strcmp(operations[at].name, name) == 0)
            return operations[at].run;
    return NULL;
}
