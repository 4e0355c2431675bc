/* Directories: entries go from one buffer into the other. */
#include "ceiling.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry {
    uint64_t ino;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

/* An open directory, and what was read from it but did not fit the last answer. */
struct directory {
    int fd;
    int64_t offset;
    long at, end;
    char entries[32768];
};

static _Thread_local char answer[1 << 20];

int do_opendir(const struct request *request, struct node *node)
{
    int fd = openat(node->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct statx attributes;
    int result = stat_node(node, &attributes);
    struct directory *directory = malloc(sizeof *directory);
    if (result < 0 || directory == NULL) {
        close(fd);
        free(directory);
        return result < 0 ? result : -ENOMEM;
    }
    directory->fd = fd;
    directory->offset = 0;
    directory->at = directory->end = 0;
    struct fuse_open_out out = {
        .fh = (uint64_t)(uintptr_t)directory,
        .open_flags = node_opened_directory(node, &attributes),
    };
    reply_bytes(request, &out, sizeof out);
    return ANSWERED;
}

int do_releasedir(const struct request *request, struct node *node)
{
    struct directory *directory = (void *)(uintptr_t)((struct fuse_release_in *)request->body)->fh;
    close(directory->fd);
    free(directory);
    node_closed_directory(node);
    reply_error(request, 0);
    return ANSWERED;
}

int do_fsyncdir(const struct request *request, struct node *node)
{
    (void)node;
    const struct directory *directory = (void *)(uintptr_t)((struct fuse_fsync_in *)request->body)->fh;
    reply_result(request, fsync(directory->fd));
    return ANSWERED;
}

static void put_dirent(struct fuse_dirent *out, const struct entry *entry, size_t length)
{
    out->ino = entry->ino;
    out->off = (uint64_t)entry->offset;
    out->namelen = (uint32_t)length;
    out->type = entry->type;
    memcpy(out->name, entry->name, length);
    memset(out->name + length, 0, FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + length) - FUSE_NAME_OFFSET - length);
}

static void put_plus(struct fuse_direntplus *out, struct node *parent, const struct entry *entry, size_t length)
{
    struct statx attributes;
    struct node *node;
    int dots = strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0;
    if (dots || node_find(parent, entry->name, &node, &attributes) < 0)
        memset(&out->entry_out, 0, sizeof out->entry_out);
    else
        fill_entry(&out->entry_out, node, &attributes);
    put_dirent(&out->dirent, entry, length);
}

static int fill(const struct request *request, struct node *node, int plus)
{
    const struct fuse_read_in *in = (void *)request->body;
    struct directory *directory = (void *)(uintptr_t)in->fh;
    size_t room = in->size < sizeof answer ? in->size : sizeof answer, used = 0;
    if (in->offset == 0 || (int64_t)in->offset != directory->offset) {
        if (lseek(directory->fd, (off_t)in->offset, SEEK_SET) < 0)
            return -errno;
        directory->offset = (int64_t)in->offset;
        directory->at = directory->end = 0;
    }
    for (;;) {
        if (directory->at >= directory->end) {
            long count = syscall(SYS_getdents64, directory->fd, directory->entries, sizeof directory->entries);
            if (count < 0 && used == 0)
                return -errno;
            if (count <= 0)
                break;
            directory->at = 0;
            directory->end = count;
        }
        struct entry *entry = (void *)(directory->entries + directory->at);
        size_t length = strlen(entry->name);
        size_t head = plus ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET;
        size_t bytes = FUSE_DIRENT_ALIGN(head + length);
        if (used + bytes > room)
            break;
        if (plus)
            put_plus((void *)(answer + used), node, entry, length);
        else
            put_dirent((void *)(answer + used), entry, length);
        used += bytes;
        directory->at += entry->length;
        directory->offset = entry->offset;
    }
    reply_bytes(request, answer, used);
    return ANSWERED;
}

int do_readdir(const struct request *request, struct node *node)
{
    return fill(request, node, 0);
}

int do_readdirplus(const struct request *request, struct node *node)
{
    return fill(request, node, 1);
}
