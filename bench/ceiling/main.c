/*
 * ceiling SOURCE MOUNTPOINT [TIMEOUT-SECONDS [SPIN-MICROSECONDS [READERS]]]
 *
 * Mounts, and serves in the foreground until it is unmounted.
 */
#include "ceiling.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct settings settings = {.timeout = 1, .spin_us = 30, .readers = 1};
int device = -1;
/* The device that a thread reads from and answers on: the first one, or its own clone. */
_Thread_local int reader = -1;

#define BUFFER_BYTES (FUSE_MIN_READ_BUFFER + (1 << 20))
#define LAST_OPCODE 64

static handler *const handlers[LAST_OPCODE] = {
    [FUSE_LOOKUP] = do_lookup,
    [FUSE_GETATTR] = do_getattr,
    [FUSE_SETATTR] = do_setattr,
    [FUSE_READLINK] = do_readlink,
    [FUSE_SYMLINK] = do_symlink,
    [FUSE_MKNOD] = do_mknod,
    [FUSE_MKDIR] = do_mkdir,
    [FUSE_UNLINK] = do_unlink,
    [FUSE_RMDIR] = do_rmdir,
    [FUSE_RENAME] = do_rename,
    [FUSE_RENAME2] = do_rename2,
    [FUSE_LINK] = do_link,
    [FUSE_OPEN] = do_open,
    [FUSE_RELEASE] = do_release,
    [FUSE_FSYNC] = do_fsync,
    [FUSE_STATFS] = do_statfs,
    [FUSE_OPENDIR] = do_opendir,
    [FUSE_READDIR] = do_readdir,
    [FUSE_READDIRPLUS] = do_readdirplus,
    [FUSE_RELEASEDIR] = do_releasedir,
    [FUSE_FSYNCDIR] = do_fsyncdir,
    [FUSE_CREATE] = do_create,
    [FUSE_FALLOCATE] = do_fallocate,
    [FUSE_LSEEK] = do_lseek,
    [FUSE_COPY_FILE_RANGE] = do_copy_file_range,
};

static void answer_init(const struct request *request)
{
    const struct fuse_init_in *in = (void *)request->body;
    uint64_t wanted = FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_DONT_MASK | FUSE_AUTO_INVAL_DATA |
                      FUSE_PARALLEL_DIROPS | FUSE_CACHE_SYMLINKS |
                      FUSE_MAX_PAGES | FUSE_HANDLE_KILLPRIV_V2 | FUSE_INIT_EXT | INIT_PASSTHROUGH;
    /* What the kernel may not keep need not be looked up with its name. */
    if (settings.timeout > 0)
        wanted |= FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO;
    uint64_t offered = in->flags | ((uint64_t)in->flags2 << 32);
    if ((offered & INIT_PASSTHROUGH) == 0) {
        fprintf(stderr, "ceiling: this kernel has no passthrough\n");
        exit(1);
    }
    wanted &= offered;
    struct fuse_init_out out = {
        .major = FUSE_KERNEL_VERSION,
        .minor = in->minor < 40 ? in->minor : 40,
        .max_readahead = in->max_readahead,
        .flags = (uint32_t)wanted,
        .flags2 = (uint32_t)(wanted >> 32),
        .max_write = 1 << 20,
        .max_pages = 256,
        .time_gran = 1,
    };
    out.INIT_MAX_STACK_DEPTH = 2;
    reply_bytes(request, &out, sizeof out);
}

static void forget_batch(const struct request *request)
{
    const struct fuse_batch_forget_in *in = (void *)request->body;
    const struct fuse_forget_one *one = (const void *)(in + 1);
    for (uint32_t at = 0; at < in->count; at++)
        node_forget(one[at].nodeid, one[at].nlookup);
}

static void start_readers(void);

static void serve(const struct request *request)
{
    const struct fuse_in_header *head = request->head;
    switch (head->opcode) {
    case FUSE_INIT:
        answer_init(request);
        start_readers();
        return;
    case FUSE_FORGET:
        node_forget(head->nodeid, ((struct fuse_forget_in *)request->body)->nlookup);
        return;
    case FUSE_BATCH_FORGET:
        forget_batch(request);
        return;
    case FUSE_INTERRUPT:
        return;
    case FUSE_DESTROY:
        reply_error(request, 0);
        return;
    }
    handler *run = head->opcode < LAST_OPCODE ? handlers[head->opcode] : NULL;
    int result = run == NULL ? -ENOSYS : run(request, node_of(head->nodeid));
    if (result != ANSWERED)
        reply_error(request, result);
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void loop(void)
{
    char *buffer = aligned_alloc(4096, BUFFER_BYTES + 4096);
    int64_t idle_since = now_us();
    if (buffer == NULL)
        return;
    for (;;) {
        ssize_t length = read(reader, buffer, BUFFER_BYTES);
        if (length >= (ssize_t)sizeof(struct fuse_in_header)) {
            struct fuse_in_header *head = (void *)buffer;
            struct request request = {head, buffer + sizeof *head};
            buffer[length] = 0;
            serve(&request);
            idle_since = now_us();
        } else if (length < 0 && errno == EAGAIN) {
            /* A busy client's next request comes sooner than a wait and a wake-up would take. */
            if (now_us() - idle_since > settings.spin_us) {
                struct pollfd wait = {.fd = reader, .events = POLLIN};
                poll(&wait, 1, -1);
                idle_since = now_us();
            }
        } else if (length < 0 && errno != ENOENT && errno != EINTR) {
            return;
        }
    }
}

static void *read_clone(void *none)
{
    uint32_t first = (uint32_t)device;
    (void)none;
    reader = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (reader < 0 || ioctl(reader, FUSE_DEV_IOC_CLONE, &first) < 0) {
        perror("ceiling: clone");
        exit(1);
    }
    loop();
    return NULL;
}

/* Once the connection can be cloned. */
static void start_readers(void)
{
    for (int count = 1; count < settings.readers; count++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, read_clone, NULL) != 0)
            exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: ceiling SOURCE MOUNTPOINT [TIMEOUT-SECONDS [SPIN-MICROSECONDS [READERS]]]\n");
        return 2;
    }
    settings.source = argv[1];
    if (argc > 3)
        settings.timeout = atof(argv[3]);
    if (argc > 4)
        settings.spin_us = atoi(argv[4]);
    if (argc > 5)
        settings.readers = atoi(argv[5]);
    /* One descriptor for each object that the kernel knows. */
    struct rlimit descriptors = {1 << 20, 1 << 20};
    if (setrlimit(RLIMIT_NOFILE, &descriptors) < 0 && getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
        descriptors.rlim_cur = descriptors.rlim_max;
        setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    int root = open(settings.source, O_PATH | O_DIRECTORY | O_CLOEXEC);
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (root < 0 || device < 0) {
        perror("ceiling");
        return 1;
    }
    reader = device;
    nodes_init(root);
    char options[128];
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
             device);
    if (mount("ceiling", argv[2], "fuse.ceiling", MS_NOSUID | MS_NODEV, options) < 0) {
        perror("ceiling: mount");
        return 1;
    }
    loop();
    return 0;
}
