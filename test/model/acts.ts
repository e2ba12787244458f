// SPDX-License-Identifier: Apache-2.0
/**
 * The actions of a schedule as things that are done to a world.
 * Input: a world, an action. Output: the world after it, at rest.
 */
import { days, hours } from '../../core/units.ts';
import { Disk } from './disk.ts';
import { copyLog, Machine } from './machine.ts';
import { seeded } from './random.ts';
import type { Action } from './schedule.ts';
import { FAILED, isDiskFault, type World } from './world.ts';

/** Rotated files that a host keeps; what falls behind is lost at its source, read or not. */
const KEPT = 10;

/** Does one action. What cannot be done now, such as a delivery of nothing, is passed over. */
export const act = async (world: World, [kind, a, b]: Action): Promise<void> => {
  world.clock.advance(1_000);
  const machine = world.machine;
  const { log } = machine;
  switch (kind) {
    case 'append':
      for (let i = 0; i <= a % 3; i++) log.current.lines.push(++world.lines);
      return;
    case 'rotate':
      log.rotated = [...log.rotated, log.current].slice(-KEPT);
      log.current = { inode: String(++world.inodes), lines: [] };
      return;
    case 'copytruncate':
      log.rotated = [...log.rotated, { inode: String(++world.inodes), lines: [...log.current.lines] }].slice(-KEPT);
      log.current.lines = [];
      return;
    case 'truncate':
      log.current.lines = [];
      return;
    case 'seal': {
      const agent = await world.agent();
      if (!agent) return;
      agent.source.batchLines = 1 + (b % 4);
      world.run(machine, agent.read(1 + (a % 3)));
      return world.settle();
    }
    case 'beat':
      world.run(machine, (await world.agent())?.beat());
      return world.settle();
    case 'send':
      world.run(machine, (await world.agent())?.send(isDiskFault));
      return world.settle();
    case 'ship':
      return ship(world);
    case 'deliver':
      return world.net.length > 0 ? world.deliver(a % world.net.length) : undefined;
    case 'drop':
      if (world.net.length > 0) world.net.splice(a % world.net.length, 1);
      return;
    case 'double': {
      const message = world.net[a % Math.max(1, world.net.length)];
      if (message) world.net.push(message);
      return;
    }
    case 'timeout':
      world.waiting.get(machine)?.(FAILED);
      return world.settle();
    case 'hold-syncs':
      if (world.collector) world.collectorDisk.holdSyncs();
      return;
    case 'sync':
      world.collectorDisk.releaseSyncs();
      return world.settle();
    case 'store':
      (await world.live())?.storeSome();
      return;
    case 'hour':
      world.clock.advance(hours(1));
      return;
    default:
      return fault(world, kind, a, b);
  }
};

/** Crashes, failing disks, retention, things put back, identities. */
const fault = async (world: World, kind: Action[0], a: number, b: number): Promise<void> => {
  const machine = world.machine;
  switch (kind) {
    case 'agent-kill':
    case 'agent-power':
      return world.agentCrash(machine, kind === 'agent-kill' ? 'kill' : 'power', b);
    case 'agent-crash-in':
      machine.disk.crashAfter(a, seeded(b), () => undefined);
      return;
    case 'agent-disk-fails':
      machine.disk.failNext(1 + (a % 4));
      return;
    case 'collector-kill':
    case 'collector-power':
      return world.collectorCrash(kind === 'collector-kill' ? 'kill' : 'power', b);
    case 'collector-crash-in':
      world.collectorDisk.crashAfter(a, seeded(b), () => undefined);
      return;
    case 'collector-disk-fails':
      world.collectorDisk.failNext(1 + (a % 4));
      return;
    case 'agent-release': {
      world.clock.advance(days(2));
      const agent = await world.agent();
      world.run(machine, agent?.spool.flush());
      return world.settle();
    }
    case 'collector-retain': {
      const collector = await world.live();
      if (collector) world.serve(collector.disk, collector.retain());
      return world.settle();
    }
    case 'agent-copy':
      world.copy = { of: machine, copy: machine.copy() };
      return;
    case 'agent-put-back':
    case 'host-put-back':
      if (world.copy?.of === machine) world.putBack(machine, world.copy.copy, kind === 'host-put-back');
      return;
    case 'agent-lost':
      world.putBack(machine, { disk: new Map(), keys: machine.keys, log: machine.log }, false);
      return;
    case 'backup': {
      const collector = await world.live();
      if (!collector) return;
      // J6: the store first, the journal at some later time.
      if (world.backupBegun) {
        world.backup = collector.backup(world.backupBegun.store);
        world.backupBegun.release();
        world.backupBegun = null;
      } else world.backupBegun = { store: collector.store, release: collector.journal.pin().release };
      return;
    }
    case 'restore':
      world.backupBegun = null;
      return world.backup ? world.restore(world.backup) : undefined;
    case 'plain-copy':
      // A collector that is stopped, copied as a whole and started again.
      world.collectorDisk.releaseSyncs();
      await world.settle();
      world.plain = { store: world.collector?.store ?? world.store, disk: world.collectorDisk.copy() };
      return;
    case 'plain-put-back':
      return world.plain ? world.restore(world.plain) : undefined;
    case 'renew': {
      const collector = await world.live();
      // I4: only the newest key may renew.
      if (!collector || collector.store.keys.at(-1)?.key !== machine.key.known.key) return;
      const key = world.newKey();
      collector.store = { ...collector.store, keys: [...collector.store.keys, key.known] };
      machine.keys = [...machine.keys, key];
      return;
    }
    case 'clone':
      if (world.other) return;
      world.other = new Machine(copyLog(machine.log), machine.keys);
      world.other.disk = new Disk(machine.disk.copy());
      return;
    case 'swap':
      if (!world.other) return;
      world.machine = world.other;
      world.other = machine;
      return;
    default:
      return;
  }
};

/** Seals, sends and answers in one go: so that schedules get somewhere. */
const ship = async (world: World): Promise<void> => {
  const agent = await world.agent();
  if (!agent) return;
  world.waiting.get(world.machine)?.(FAILED);
  world.run(world.machine, agent.read(3));
  await world.settle();
  world.run(world.machine, agent.send(isDiskFault));
  await world.settle();
  await world.deliver(world.net.length - 1);
  world.collectorDisk.releaseSyncs();
  await world.settle();
  if (world.net.at(-1)?.reply) await world.deliver(world.net.length - 1);
};
