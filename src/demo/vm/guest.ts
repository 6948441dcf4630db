/** What the machine under qemu is told, as text: its init script, qemu's arguments, and how its answer is read. */

/** Loaded before the host's files are there, and so part of the initramfs. */
export const BOOT_MODULES = ['virtio_pci', '9pnet_virtio', '9p', 'overlay'] as const;

/** Loaded for the command: what the demo's hosts are made of. */
const GUEST_MODULES = ['veth', 'bridge', 'ipip', 'vxlan', 'dummy', 'tun', 'nf_tables'] as const;

const EXIT_MARK = '@@calico-ts-vm-exit';

/** What to run there. */
export interface GuestJob {
  /** For `sh -c`. */
  readonly command: string;
  readonly workingDirectory: string;
  /** Where the unpacked kernel modules lie on the host. */
  readonly modulesDirectory: string;
  readonly path: string;
}

/**
 * The initramfs's /init. The host's root, read-only over 9p and writable on top in memory, becomes the root of the
 * command; a chroot and no switch_root, so that the kernel's own calls of /sbin/modprobe still find busybox here.
 * The first serial port is the console and the command's stderr; the second one its stdout, then its exit code.
 */
export const INIT_SCRIPT = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
/bin/ln -s /bin/busybox /sbin/modprobe
share='trans=virtio,version=9p2000.L,msize=512000,ro'
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in ${BOOT_MODULES.join(' ')}; do modprobe $module || echo "vm: the module $module does not load"; done
mount -t 9p -o $share,cache=loose host /host && mount -t 9p -o $share job /job || echo 'vm: the shares do not mount'
. /job/job.sh
mount -t tmpfs overlay /overlay
mkdir /overlay/upper /overlay/work
mount -t overlay -o lowerdir=/host,upperdir=/overlay/upper,workdir=/overlay/work overlay /root ||
  echo 'vm: the overlay does not mount'
mount --bind "/host$MODULES" /lib/modules
for module in ${GUEST_MODULES.join(' ')}; do modprobe $module || echo "vm: the module $module does not load"; done
mkdir /project
mount --bind "/root$WORKING_DIRECTORY" /project
for dir in proc sys dev; do mount --bind /$dir /root/$dir; done
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /root/dev/pts
for dir in dev/shm run tmp; do mount -t tmpfs -o mode=1777 tmp /root/$dir; done
mkdir /root/run/lock
[ -e "/root$WORKING_DIRECTORY" ] || { # the project itself lies in /tmp or /run, which are new and empty now
  mkdir -p "/root$WORKING_DIRECTORY"
  mount --bind /project "/root$WORKING_DIRECTORY"
}
hostname calico-ts-vm
ip link set lo up
stty raw -F /dev/ttyS1
chroot /root /usr/bin/env -i HOME=/root TERM=dumb PATH="$COMMAND_PATH" CALICO_TS_VM=1 /bin/sh -c \\
  'cd "$1" && exec /bin/sh -c "$2"' sh "$WORKING_DIRECTORY" "$COMMAND" > /dev/ttyS1 2> /dev/ttyS0 < /dev/null
echo "${EXIT_MARK} $?" > /dev/ttyS1
echo o > /proc/sysrq-trigger
sleep 60
`;

/** Directories of the initramfs; the kernel mounts nothing by itself. */
export const INITRAMFS_DIRECTORIES = [
  'bin',
  'sbin',
  'dev',
  'proc',
  'sys',
  'host',
  'job',
  'overlay',
  'root',
  'lib',
  'lib/modules',
] as const;

/** The job as shell variables, read by the init script. */
export const jobScript = ({ command, workingDirectory, modulesDirectory, path }: GuestJob): string =>
  [
    `COMMAND=${quote(command)}`,
    `WORKING_DIRECTORY=${quote(workingDirectory)}`,
    `MODULES=${quote(modulesDirectory)}`,
    `COMMAND_PATH=${quote(path)}`,
    '',
  ].join('\n');

/** One word for the shell, whatever is in it. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export interface Machine {
  readonly kernel: string;
  readonly initramfs: string;
  readonly jobDirectory: string;
  readonly resultFile: string;
  readonly memoryMb: number;
  readonly cpus: number;
}

/** qemu's arguments. Without KVM on purpose: where the machine is itself virtual, nested KVM was seen to hang. */
export function qemuArguments(machine: Machine): readonly string[] {
  const share = (id: string, path: string): readonly string[] => [
    '-fsdev',
    `local,id=${id},path=${path},security_model=none,readonly=on,multidevs=remap`,
    '-device',
    `virtio-9p-pci,fsdev=${id},mount_tag=${id}`,
  ];
  return [
    ...['-accel', 'tcg', '-m', String(machine.memoryMb), '-smp', String(machine.cpus)],
    ...['-kernel', machine.kernel, '-initrd', machine.initramfs, '-append', 'console=ttyS0 quiet panic=-1'],
    ...['-display', 'none', '-no-reboot', '-nodefaults'],
    ...['-serial', 'stdio', '-serial', `file:${machine.resultFile}`],
    ...share('host', '/'),
    ...share('job', machine.jobDirectory),
  ];
}

/** The second serial port's bytes as the command's stdout and exit code; no exit code where the machine died first. */
export function readResult(text: string): { readonly stdout: string; readonly exitCode: number | undefined } {
  const at = text.lastIndexOf(`${EXIT_MARK} `);
  if (at < 0) return { stdout: text, exitCode: undefined };
  return { stdout: text.slice(0, at), exitCode: Number.parseInt(text.slice(at + EXIT_MARK.length), 10) };
}
