# shellcheck shell=sh
# Process 1 of the test kernel: the host's root file system is mounted read-only at /. Makes what has to be writable,
# runs the program that it is told to by the kernel's command line (EVERMOUNT_*), and powers off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t fusectl fusectl /sys/fs/fuse/connections
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run

# The checkout under a path of its own, before /tmp, where it may be, is covered; writable, but nothing is kept.
guest=/run/evermount-guest
mkdir -p $guest/lower $guest/upper $guest/work $guest/tree $guest/home $guest/node
mount --bind "$EVERMOUNT_TREE" $guest/lower
mount -t overlay overlay -o lowerdir=$guest/lower,upperdir=$guest/upper,workdir=$guest/work $guest/tree
mount --bind "$EVERMOUNT_NODE" $guest/node
# An ext4 of its own for temporary files: what is mirrored by passthrough should be a usual file system.
mount -t ext4 /dev/vda /tmp
chmod 1777 /tmp
ip link set lo up 2>/dev/null

export HOME=$guest/home PATH="$guest/node:$PATH"
stty -F /dev/ttyS1 raw -echo
cd $guest/tree
node linux/guest.mjs "$EVERMOUNT_PARTS" /dev/ttyS1 </dev/null
sync
mount -o remount,ro /tmp 2>/dev/null
# Powering off takes a moment. Process 1 must not end before, and no program can be started by then: the shell itself
# waits for what nobody writes.
mkfifo /run/never
exec 9<>/run/never
echo o >/proc/sysrq-trigger
read -r _ <&9
