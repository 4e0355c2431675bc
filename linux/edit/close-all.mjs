// SPDX-License-Identifier: GPL-2.0-only
/** All registrations of a connection closed at once: what both variants need, each with its own way to ask for it. */

const passthrough = 'fs/fuse/passthrough.c'

/**
 * Ids are taken out one by one under the connection's lock; the references are dropped outside it, since the last
 * one closes a file, which may sleep. An id that is given out meanwhile goes too: the loop ends at an empty map.
 */
const closeAllFunction = {
  file: passthrough,
  at: String.raw`(?=^int fuse_backing_close\()`,
  put: `static void evermount_close_all(struct fuse_conn *fc)
{
	struct fuse_backing *entry;
	int id;

	do {
		id = 0;
		spin_lock(&fc->lock);
		entry = idr_get_next(&fc->backing_files_map, &id);
		if (entry)
			idr_remove(&fc->backing_files_map, id);
		spin_unlock(&fc->lock);
		fuse_backing_put(entry);
		cond_resched();
	} while (entry);
}

`,
}

/** BACKING_CLOSE with -1 for the id; privilege has been checked where this is put. */
export const closeAllById = [
  closeAllFunction,
  {
    file: passthrough,
    within: 'fuse_backing_close',
    at: String.raw`(?=\terr = -EINVAL;\n)`,
    put: `	if (backing_id == -1) {
		evermount_close_all(fc);
		err = 0;
		goto out;
	}

`,
  },
]

/** An ioctl of its own without an argument. Its number is not settled; 3 is taken by newer kernels (SYNC_INIT). */
export const closeAllByIoctl = [
  closeAllFunction,
  {
    file: passthrough,
    at: String.raw`(?=^int fuse_backing_close\()`,
    put: `int fuse_backing_close_all(struct fuse_conn *fc)
{
	if (!fc->passthrough || !capable(CAP_SYS_ADMIN))
		return -EPERM;
	evermount_close_all(fc);
	return 0;
}

`,
  },
  {
    file: 'fs/fuse/fuse_i.h',
    at: String.raw`int fuse_backing_close\(`,
    put: `int fuse_backing_close_all(struct fuse_conn *fc);\n$&`,
  },
  {
    file: 'include/uapi/linux/fuse.h',
    at: String.raw`#define FUSE_DEV_IOC_BACKING_CLOSE\b.*\n`,
    put: '$&#define FUSE_DEV_IOC_BACKING_CLOSE_ALL	_IO(FUSE_DEV_IOC_MAGIC, 4)\n',
  },
  {
    file: 'fs/fuse/dev.c',
    within: 'fuse_dev_ioctl',
    at: String.raw`(?=\tdefault:)`,
    put: `	case FUSE_DEV_IOC_BACKING_CLOSE_ALL: {
		struct fuse_dev *fud = fuse_get_dev(file);

		if (!IS_ENABLED(CONFIG_FUSE_PASSTHROUGH))
			return -EOPNOTSUPP;
		return fud ? fuse_backing_close_all(fud->fc) : -EPERM;
	}

`,
  },
]
