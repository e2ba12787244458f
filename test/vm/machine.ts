// SPDX-License-Identifier: Apache-2.0
/**
 * A bare machine with systemd, as a test's guest: a distribution's own packages in a virtual machine, and a root shell on its second serial line.
 * Input: a distribution. Output: answers of commands typed there; a way to restart and end it. Needs root, debootstrap and QEMU.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, until } from '../support/vigil.ts';

export interface Distribution {
  readonly name: string;
  readonly components: string;
  /** Where the running system's debootstrap has no script of this name, the one it is like. */
  readonly script: string;
}

export const DISTRIBUTIONS: readonly Distribution[] = [
  { name: 'bookworm', components: 'main', script: 'sid' },
  { name: 'trixie', components: 'main', script: 'sid' },
  { name: 'noble', components: 'main,universe', script: 'gutsy' },
];

/** What a server has before anything is installed on it: systemd and a way to fetch a file. */
const PACKAGES = 'systemd-sysv,udev,iproute2,ca-certificates,curl,libpam-systemd,dbus';
/** The collector's machine, as the guest sees it. */
export const HOST_ADDRESS = '10.0.2.2';
const IMAGE_SIZE = '3G';
const BOOT_MS = 300_000;
const NETWORK = '[Match]\nName=e*\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\n';
const SHELL = `[Unit]
Description=Root shell of the test
[Service]
ExecStart=/bin/sh -c 'stty -F /dev/ttyS1 raw -echo; cat /dev/ttyS1 | sh >/dev/ttyS1 2>&1'
Restart=always
RestartSec=0
TimeoutStopSec=2
Environment=HOME=/root TERM=dumb
[Install]
WantedBy=multi-user.target
`;

const NEEDED = ['debootstrap', 'qemu-system-x86_64', 'mke2fs'];
const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** Why a machine cannot be made here; null when it can. */
export const machineProblem = (): string | null => {
  if (process.getuid?.() !== 0) return 'debootstrap needs root';
  const missing = NEEDED.filter((program) => !has(program));
  return missing.length > 0 ? `there is no ${missing.join(', ')} here` : null;
};

/** Runs a program to its end. @throws Error with what it said. */
const done = (program: string, args: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const pipe of [child.stdout, child.stderr]) pipe.on('data', (piece: Buffer) => (said = (said + piece.toString()).slice(-2_000)));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}: ${said}`))));
  });

const cache = (): string => join(process.env['VIGIL_VM_CACHE'] ?? tmpdir(), 'vigil-vm');

const bootstrap = async (dir: string, suite: string, words: readonly string[], script: string): Promise<void> => {
  if (existsSync(dir)) return;
  const half = `${dir}.half`;
  rmSync(half, { recursive: true, force: true });
  const own = join('/usr/share/debootstrap/scripts', suite);
  await done('debootstrap', ['--variant=minbase', '--no-check-gpg', ...words, suite, half, ...(existsSync(own) ? [] : ['', script])]);
  renameSync(half, dir);
};

/** A kernel that finds a virtual disk and line by itself; one serves every distribution. */
const kernel = async (): Promise<{ readonly image: string; readonly initrd: string }> => {
  const dir = join(cache(), 'kernel');
  await bootstrap(dir, 'bookworm', ['--include=linux-image-cloud-amd64'], 'sid');
  const boot = readdirSync(join(dir, 'boot'));
  const find = (start: string): string => join(dir, 'boot', boot.find((name) => name.startsWith(start)) ?? start);
  return { image: find('vmlinuz'), initrd: find('initrd') };
};

const image = async ({ name, components, script }: Distribution): Promise<string> => {
  const file = join(cache(), `${name}.img`);
  if (existsSync(file)) return file;
  const dir = join(cache(), name);
  await bootstrap(dir, name, [`--include=${PACKAGES}`, `--components=${components}`], script);
  writeFileSync(join(dir, 'etc/hostname'), `vm-${name}\n`);
  writeFileSync(join(dir, 'etc/fstab'), '/dev/vda / ext4 defaults 0 1\n');
  mkdirSync(join(dir, 'etc/systemd/network'), { recursive: true });
  writeFileSync(join(dir, 'etc/systemd/network/10-test.network'), NETWORK);
  writeFileSync(join(dir, 'etc/systemd/system/test-shell.service'), SHELL);
  const units = [
    'test-shell.service',
    ...(existsSync(join(dir, 'usr/lib/systemd/system/systemd-networkd.service')) ? ['systemd-networkd.service'] : []),
  ];
  await done('systemctl', [`--root=${dir}`, 'enable', ...units]);
  rmSync(`${file}.half`, { force: true });
  await done('mke2fs', ['-q', '-t', 'ext4', '-L', 'root', '-d', dir, `${file}.half`, IMAGE_SIZE]);
  renameSync(`${file}.half`, file);
  return file;
};

export interface Machine {
  /** Types a command as root and waits for its end. */
  sh(command: string, timeoutMs?: number): Promise<Answer>;
  /** Restarts the machine; resolves when its shell answers again. */
  restart(): Promise<void>;
  /** What stands on its screen. */
  screen(): string;
  end(): Promise<void>;
}

/** Boots a machine; its disk is forgotten when it ends. */
export const openMachine = async (distribution: Distribution, dir: string): Promise<Machine> => {
  mkdirSync(cache(), { recursive: true });
  const [{ image: linux, initrd }, disk] = [await kernel(), await image(distribution)];
  const line = join(dir, 'line');
  const child: ChildProcess = spawn(
    'qemu-system-x86_64',
    [
      // Emulated unless asked otherwise: a virtual machine inside a virtual one is not to be had everywhere.
      ...['-accel', process.env['VIGIL_VM_ACCEL'] ?? 'tcg', '-cpu', 'max'],
      ...['-m', '1024', '-smp', '1', '-display', 'none', '-monitor', 'none', '-no-user-config'],
      ...['-kernel', linux, '-initrd', initrd, '-append', 'root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet'],
      ...['-drive', `file=${disk},if=virtio,format=raw,snapshot=on`],
      ...['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net', '-device', 'virtio-rng-pci'],
      ...['-serial', 'stdio', '-serial', `unix:${line},server=on,wait=off`],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let screen = '';
  for (const pipe of [child.stdout, child.stderr])
    pipe?.on('data', (piece: Buffer) => (screen = (screen + piece.toString()).slice(-20_000)));
  let heard = '';
  const socket: Socket = await until('the line of the machine', () => existsSync(line) && connected(line));
  socket.on('data', (piece: Buffer) => (heard += piece.toString()));
  let number = 0;
  const sh: Machine['sh'] = async (command, timeoutMs = 300_000) => {
    const end = `end-${++number}`;
    heard = '';
    // In a shell of its own, with nothing on stdin but what the command brings; the mark is put together so that it is not its own echo.
    socket.write(
      `sh -c ${quoted(command)} </dev/null >/tmp/out 2>/tmp/err; c=$?; cat /tmp/out; echo "${end}-""err"; cat /tmp/err; echo "${end}-""code $c"\n`,
    );
    await until(`an answer to: ${command}`, () => new RegExp(`${end}-code \\d+\\n`).test(heard), timeoutMs);
    const [out = '', rest = ''] = heard.split(`${end}-err\n`);
    const [err = '', code = ''] = rest.split(`${end}-code `);
    return { out, err, code: Number.parseInt(code, 10) };
  };
  const ready = (): Promise<unknown> =>
    until('the shell of the machine', () => sh('systemctl is-system-running --wait >/dev/null; true', 5_000).then(() => true), BOOT_MS);
  const machine: Machine = {
    sh,
    restart: async () => {
      const start = async (timeoutMs?: number): Promise<string | undefined> =>
        /^[0-9a-f-]{36}$/m.exec((await sh('cat /proc/sys/kernel/random/boot_id', timeoutMs)).out)?.[0];
      const before = await start();
      socket.write('systemctl reboot\n');
      await until('another start', async () => ![undefined, before].includes(await start(3_000)), BOOT_MS);
      await ready();
    },
    screen: () => screen,
    end: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      socket.destroy();
    },
  };
  await ready().catch(async (error: unknown) => {
    await machine.end();
    throw new Error(`${String(error)}; on its screen: ${screen.slice(-1_500)}`);
  });
  return machine;
};

const connected = (path: string): Promise<Socket | null> =>
  new Promise((resolve) => {
    const socket = connect(path, () => resolve(socket)).on('error', () => resolve(null));
  });

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
