#!/bin/busybox sh
# The first process of the guest. TWINSPOOL_PROGRAM comes from the kernel's command line.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp LD_LIBRARY_PATH=/lib/x86_64-linux-gnu
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
exec </dev/ttyS0 >/dev/ttyS0 2>&1
echo "@guest userland"
for module in /modules/*.ko; do
  insmod "$module" || echo "@guest cannot load $module"
done
ifconfig lo 127.0.0.1 up
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose project /project || echo "@guest cannot mount the project"
# libusb hears of new devices from udevd only.
udevd --daemon
# From here the console belongs to the test program; a panic still gets through.
dmesg -n 1
echo "@guest ready"
cd /project
UV_THREADPOOL_SIZE=8 node "$TWINSPOOL_PROGRAM"
echo "@guest exit $?"
poweroff -f
