#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PER_DIRECTORY 1000

static int failed(const char *what)
{
    perror(what);
    return 1;
}

static int make_file(int dirfd, const char *name, const char *bytes, size_t length)
{
    int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        return -1;
    ssize_t count = length > 0 ? write(fd, bytes, length) : 0;
    return close(fd) < 0 || count != (ssize_t)length ? -1 : 0;
}

/* Files f0, f1, ... of some bytes, and a directory c0, c1, ... for each client with a file to rename. */
int prepare(const char *directory, unsigned files, unsigned bytes, unsigned clients)
{
    char name[64], *content = calloc(1, bytes + 1);
    if (content == NULL || (mkdir(directory, 0755) < 0 && errno != EEXIST))
        return failed(directory);
    int dirfd = open(directory, O_RDONLY | O_DIRECTORY);
    if (dirfd < 0)
        return failed(directory);
    for (unsigned at = 0; at < bytes; at++)
        content[at] = (char)('a' + at % 26);
    for (unsigned at = 0; at < files; at++) {
        snprintf(name, sizeof name, "f%u", at);
        if (make_file(dirfd, name, content, bytes) < 0)
            return failed(name);
    }
    for (unsigned at = 0; at < clients; at++) {
        snprintf(name, sizeof name, "c%u", at);
        if (mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST)
            return failed(name);
        snprintf(name, sizeof name, "c%u/a", at);
        if (make_file(dirfd, name, content, bytes) < 0)
            return failed(name);
    }
    return 0;
}

/* Opens, reads and closes f0, f1, ... once. */
int read_all(const char *directory, unsigned files)
{
    static char bytes[65536];
    char name[32];
    int dirfd = open(directory, O_RDONLY | O_DIRECTORY);
    if (dirfd < 0)
        return failed(directory);
    int64_t began = now_ns();
    for (unsigned at = 0; at < files; at++) {
        snprintf(name, sizeof name, "f%u", at);
        int fd = openat(dirfd, name, O_RDONLY);
        if (fd < 0)
            return failed(name);
        ssize_t count;
        while ((count = read(fd, bytes, sizeof bytes)) > 0)
            ;
        if (count < 0)
            return failed(name);
        close(fd);
    }
    printf("{\"operations\":%u,\"seconds\":%.6f}\n", files, (double)(now_ns() - began) / 1e9);
    return 0;
}

static int each_of_many(const char *directory, unsigned files, int (*one)(int dirfd, const char *name))
{
    char name[64];
    int dirfd = open(directory, O_RDONLY | O_DIRECTORY);
    if (dirfd < 0)
        return failed(directory);
    for (unsigned at = 0; at < files; at++) {
        if (at % PER_DIRECTORY == 0) {
            snprintf(name, sizeof name, "d%u", at / PER_DIRECTORY);
            if (one(dirfd, name) < 0)
                return failed(name);
        }
        snprintf(name, sizeof name, "d%u/f%u", at / PER_DIRECTORY, at % PER_DIRECTORY);
        if (one(dirfd, name) < 0)
            return failed(name);
    }
    return 0;
}

static int make_one(int dirfd, const char *name)
{
    if (strchr(name, '/') != NULL)
        return make_file(dirfd, name, "", 0);
    return mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST ? -1 : 0;
}

static int stat_one(int dirfd, const char *name)
{
    struct stat attributes;
    return fstatat(dirfd, name, &attributes, AT_SYMLINK_NOFOLLOW);
}

/* Very many files, a thousand to a directory. */
int populate(const char *directory, unsigned files)
{
    return each_of_many(directory, files, make_one);
}

/* Makes them known to the kernel through a mount. */
int know(const char *directory, unsigned files)
{
    return each_of_many(directory, files, stat_one);
}

/* Calls stat without pause; the longest call in milliseconds. Any failed call counts as a failure of the run. */
int longest_call(const char *path, double seconds)
{
    struct stat attributes;
    int64_t longest = 0, last = now_ns(), end = last + (int64_t)(seconds * 1e9);
    uint64_t calls = 0;
    while (last < end) {
        if (stat(path, &attributes) < 0)
            return failed(path);
        int64_t now = now_ns();
        if (now - last > longest)
            longest = now - last;
        last = now;
        calls++;
    }
    printf("{\"operations\":%llu,\"longestMs\":%.3f}\n", (unsigned long long)calls, (double)longest / 1e6);
    return 0;
}
