/* Files: the kernel reads and writes them itself, so what is left is to say which one. */
#include "ceiling.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct fuse_open_out opened(int backing)
{
    struct fuse_open_out out = {.open_flags = FOPEN_PASSTHROUGH | FOPEN_NOFLUSH};
    out.padding = (uint32_t)backing;
    return out;
}

int do_open(const struct request *request, struct node *node)
{
    const struct fuse_open_in *in = (void *)request->body;
    int backing = node_registration(node);
    if (backing < 0)
        return backing;
    if ((in->flags & O_TRUNC) != 0 && truncate(node_path(node), 0) < 0)
        return -errno;
    struct fuse_open_out out = opened(backing);
    reply_bytes(request, &out, sizeof out);
    return ANSWERED;
}

int do_create(const struct request *request, struct node *parent)
{
    const struct fuse_create_in *in = (void *)request->body;
    const char *name = (const char *)(in + 1);
    act_with_umask(in->umask);
    int fd = openat(parent->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (in->flags & (O_EXCL | O_TRUNC)),
                    in->mode & 07777);
    if (fd < 0)
        return -errno;
    close(fd);
    struct {
        struct fuse_entry_out entry;
        struct fuse_open_out open;
    } out;
    struct statx attributes;
    struct node *node;
    int result = node_find(parent, name, &node, &attributes);
    if (result < 0)
        return result;
    int backing = node_registration(node);
    if (backing < 0) {
        node_forget(node_id(node), 1);
        return backing;
    }
    fill_entry(&out.entry, node, &attributes);
    out.open = opened(backing);
    reply_bytes(request, &out, sizeof out);
    return ANSWERED;
}

/* Nothing was opened. */
int do_release(const struct request *request, struct node *node)
{
    (void)node;
    reply_error(request, 0);
    return ANSWERED;
}

static int with_file(const struct node *node, int flags)
{
    return open(node_path(node), flags | O_CLOEXEC);
}

int do_fsync(const struct request *request, struct node *node)
{
    const struct fuse_fsync_in *in = (void *)request->body;
    int fd = with_file(node, O_RDONLY);
    if (fd < 0)
        return -errno;
    int result = (in->fsync_flags & FUSE_FSYNC_FDATASYNC) != 0 ? fdatasync(fd) : fsync(fd);
    reply_result(request, result);
    close(fd);
    return ANSWERED;
}

int do_fallocate(const struct request *request, struct node *node)
{
    const struct fuse_fallocate_in *in = (void *)request->body;
    int fd = with_file(node, O_WRONLY);
    if (fd < 0)
        return -errno;
    reply_result(request, fallocate(fd, (int)in->mode, (off_t)in->offset, (off_t)in->length));
    close(fd);
    return ANSWERED;
}

int do_lseek(const struct request *request, struct node *node)
{
    const struct fuse_lseek_in *in = (void *)request->body;
    int fd = with_file(node, O_RDONLY);
    if (fd < 0)
        return -errno;
    off_t position = lseek(fd, (off_t)in->offset, (int)in->whence);
    int error = errno;
    close(fd);
    if (position < 0)
        return -error;
    struct fuse_lseek_out out = {.offset = (uint64_t)position};
    reply_bytes(request, &out, sizeof out);
    return ANSWERED;
}

int do_copy_file_range(const struct request *request, struct node *node)
{
    const struct fuse_copy_file_range_in *in = (void *)request->body;
    off_t from = (off_t)in->off_in, to = (off_t)in->off_out;
    int in_fd = with_file(node, O_RDONLY);
    if (in_fd < 0)
        return -errno;
    int out_fd = with_file(node_of(in->nodeid_out), O_WRONLY);
    if (out_fd < 0) {
        int error = errno;
        close(in_fd);
        return -error;
    }
    ssize_t count = copy_file_range(in_fd, &from, out_fd, &to, in->len, 0);
    int error = errno;
    close(in_fd);
    close(out_fd);
    if (count < 0)
        return -error;
    struct fuse_write_out out = {.size = (uint32_t)count};
    reply_bytes(request, &out, sizeof out);
    return ANSWERED;
}
