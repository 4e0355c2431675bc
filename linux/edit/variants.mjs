// SPDX-License-Identifier: GPL-2.0-only
/** The two forms of the proposal, as changes of Linux 6.12. */
import { closeAllById, closeAllByIoctl } from './close-all.mjs'

/**
 * First form: with FOPEN_PASSTHROUGH_INODE_CACHE an open uses the backing file that its inode has. The last close may
 * drop that reference at any moment, so it is looked at under the RCU read lock, which keeps the memory (it is freed
 * by kfree_rcu), and counted only if the count has not reached zero. Where there is none the id counts, as before.
 *
 * Between that look and the check under the inode's lock another open may install another registration: two opens that
 * were answered with two fresh ids do so when they run at the same time. The check then says EBUSY, and the open looks
 * again. Each turn means that another open has succeeded.
 */
const inodeCache = {
  changes: [
    {
      file: 'include/uapi/linux/fuse.h',
      at: String.raw`#define FOPEN_PASSTHROUGH\t.*\n`,
      put: '$&#define FOPEN_PASSTHROUGH_INODE_CACHE	(1 << 8)\n',
    },
    {
      file: 'fs/fuse/iomode.c',
      at: String.raw`(#define FOPEN_PASSTHROUGH_MASK[^)]*FOPEN_NOFLUSH)\)`,
      put: '$1 | FOPEN_PASSTHROUGH_INODE_CACHE)',
    },
    {
      file: 'fs/fuse/iomode.c',
      within: 'fuse_file_passthrough_open',
      at: String.raw`(?=\tfb = fuse_passthrough_open\()`,
      put: 'evermount_again:\n',
    },
    {
      file: 'fs/fuse/iomode.c',
      within: 'fuse_file_passthrough_open',
      at: String.raw`\tfuse_backing_put\(fb\);\n`,
      put: `$&	if (err == -EBUSY && (ff->open_flags & FOPEN_PASSTHROUGH_INODE_CACHE))
		goto evermount_again;
`,
    },
    {
      file: 'fs/fuse/passthrough.c',
      at: String.raw`(?=^int fuse_backing_close\()`,
      put: `static struct fuse_backing *evermount_inode_backing_get(struct inode *inode)
{
	struct fuse_backing *held;

	rcu_read_lock();
	held = fuse_backing_get(fuse_inode_backing(get_fuse_inode(inode)));
	rcu_read_unlock();
	return held;
}

`,
    },
    {
      file: 'fs/fuse/passthrough.c',
      within: 'fuse_passthrough_open',
      at: String.raw`(?=\terr = -EINVAL;\n)`,
      put: `	if (ff->open_flags & FOPEN_PASSTHROUGH_INODE_CACHE) {
		fb = evermount_inode_backing_get(inode);
		if (fb)
			goto evermount_have_backing;
	}

`,
    },
    {
      file: 'fs/fuse/passthrough.c',
      within: 'fuse_passthrough_open',
      at: String.raw`(?=\tbacking_file = backing_file_open\()`,
      put: 'evermount_have_backing:\n',
    },
    ...closeAllById,
  ],
}

/** Second form: no flag; a registration is taken for the one that the inode has when both are of the same file. */
const inodeCompare = {
  changes: [
    {
      file: 'fs/fuse/iomode.c',
      within: 'fuse_inode_uncached_io_start',
      at: String.raw`oldfb != fb\b`,
      put: 'file_inode(oldfb->file) != file_inode(fb->file)',
    },
    ...closeAllByIoctl,
  ],
}

/** `released`: no change at all, to compare with. */
export const variants = {
  'inode-cache': inodeCache,
  'inode-compare': inodeCompare,
  released: { changes: [] },
}
