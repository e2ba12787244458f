// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run test:vm`: the agent installed as root on bare machines with systemd, made and booted here. Needs root, debootstrap, QEMU, a mirror.
 * Input: names of files, or none for all; VIGIL_VM_CACHE keeps the disks. Output: vitest's report and `N passed, N failed, N skipped`.
 */
process.argv.splice(2, 0, '--config', 'test/vm/vitest.config.ts');
await import('../support/test.ts');
