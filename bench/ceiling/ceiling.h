/*
 * The least that a FUSE server can cost: one thread on a bare /dev/fuse (or several, to see whether they pay), file data
 * by kernel passthrough, objects reached by descriptor. It serves one user (root) and nothing but measurements: what
 * could be left out without changing what the other rows do for the same work is left out.
 */
#ifndef CEILING_H
#define CEILING_H

#define _GNU_SOURCE
#include <linux/fuse.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Newer than the headers of the distributions that this is compiled on (FUSE 7.40). */
#ifndef FOPEN_PASSTHROUGH
#define FOPEN_PASSTHROUGH (1 << 7)
#endif
#define INIT_PASSTHROUGH (1ULL << 37)
#define CEILING_BACKING_OPEN 0x4010e501u
#define CEILING_BACKING_CLOSE 0x4004e502u

struct backing_map {
    int32_t fd;
    uint32_t flags;
    uint64_t padding;
};

/* max_stack_depth of fuse_init_out (FUSE 7.40) is where the older header has unused words. */
#define INIT_MAX_STACK_DEPTH unused[0]

/* An object that the kernel knows. Its node id is its address; the root has FUSE_ROOT_ID. */
struct node {
    struct node *next;
    dev_t dev;
    ino_t ino;
    uint64_t lookups;
    /* O_PATH, kept until the kernel forgets the node. */
    int fd;
    /* Registration with the kernel, made at the first open and kept as long: an open then costs no system call. */
    int backing;
    /* Of a directory: how often it is open, and its change time (ns) when the kernel was last told to keep its entries. */
    int open_count;
    int64_t listed;
    time_t listed_at;
};

/* A request as it was read. `body` follows the header. */
struct request {
    struct fuse_in_header *head;
    char *body;
};

struct settings {
    const char *source;
    double timeout;
    int spin_us;
    int readers;
};

extern struct settings settings;
extern int device;
extern _Thread_local int reader;

/* nodes.c */
void nodes_init(int root_fd);
struct node *node_of(uint64_t nodeid);
uint64_t node_id(const struct node *node);
/* The node of what is under a name, its lookup counted; 0 or -errno. */
int node_find(struct node *parent, const char *name, struct node **found, struct statx *attributes);
void node_forget(uint64_t nodeid, uint64_t lookups);
/* umask(2), where it is another one than before. */
void act_with_umask(mode_t mask);
/* A directory is opened, or closed; the first answers with what the kernel may do with its entries (FOPEN flags). */
uint32_t node_opened_directory(struct node *node, const struct statx *attributes);
void node_closed_directory(struct node *node);
/* The backing id of a file, registered when it is first asked for; or -errno. */
int node_registration(struct node *node);
/* A path that leads to the object itself: for calls that take no O_PATH descriptor. Valid until the next call. */
const char *node_path(const struct node *node);

/* reply.c */
void reply_error(const struct request *request, int error);
void reply_bytes(const struct request *request, const void *bytes, size_t length);
void reply_result(const struct request *request, int result);
void reply_attributes(const struct request *request, const struct statx *attributes);
void fill_entry(struct fuse_entry_out *out, const struct node *node, const struct statx *attributes);
void fill_no_entry(struct fuse_entry_out *out);
void fill_attributes(struct fuse_attr *out, const struct statx *attributes);
int stat_node(const struct node *node, struct statx *attributes);

/* Each answers its request, or returns -errno to be answered. ANSWERED: it has been. */
#define ANSWERED 1
typedef int handler(const struct request *request, struct node *node);
handler do_lookup, do_mknod, do_mkdir, do_symlink, do_link, do_unlink, do_rmdir, do_rename, do_rename2, do_readlink;
handler do_getattr, do_setattr, do_statfs;
handler do_open, do_create, do_release, do_fsync, do_fallocate, do_copy_file_range, do_lseek;
handler do_opendir, do_readdir, do_readdirplus, do_releasedir, do_fsyncdir;

#endif
