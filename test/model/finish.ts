// SPDX-License-Identifier: Apache-2.0
/**
 * The end of a run: faults stop, everything is sent, answered, decided and stored; then it is judged.
 * Input: a world after its schedule. Output: what broke.
 */
import { minutes } from '../../core/units.ts';
import { act } from './acts.ts';
import { textOf } from './oracle.ts';
import type { Action } from './schedule.ts';
import type { Log } from './source.ts';
import { FAILED, isDiskFault, type Stats, World } from './world.ts';

/** Rounds of sending and answering after which everything must be quiet. */
const ROUNDS = 60;

/** Faults end; everything is sent, answered, stored. Answers what never came to rest. */
const drain = async (world: World): Promise<string | null> => {
  for (const machine of [world.machine, world.other]) machine?.disk.failNext(0);
  world.collectorDisk.failNext(0);
  let quiet = 0;
  for (let round = 0; round < ROUNDS; round++) {
    world.clock.advance(minutes(11));
    let moved = false;
    for (const machine of world.other ? [world.machine, world.other] : [world.machine]) {
      world.waiting.get(machine)?.(FAILED);
      await world.settle();
      const agent = await world.agent(machine);
      if (!agent) {
        moved = true;
        continue;
      }
      const before = agent.place;
      agent.source.batchLines = 50;
      world.run(machine, agent.read(100));
      world.run(machine, agent.beat());
      await world.settle();
      world.run(machine, agent.send(isDiskFault));
      await world.settle();
      for (let i = 0; i < 20 && world.net.length > 0; i++) {
        await world.deliver(0);
        world.collectorDisk.releaseSyncs();
        await world.settle();
      }
      world.run(machine, agent.read(0));
      await world.settle();
      if (world.collector?.refuses(machine.key.known.key)) world.discarded.add(machine.key.known.key);
      else moved ||= agent.sending || agent.restless || agent.place !== before;
    }
    const collector = await world.live();
    if (!collector) continue;
    for (const key of collector.heldKeys) {
      moved = true;
      // A person knows: where another machine has a newer key, the older one is a copy's; else the host was put back.
      const holders = [world.machine, world.other].filter((machine) => machine?.key.known.key === key);
      const copied = world.other !== null && holders.length === 1;
      if (copied) world.discarded.add(key);
      world.serve(collector.disk, collector.decideHeld(key, !copied));
      await world.settle();
    }
    while (collector.storeSome());
    quiet = moved ? 0 : quiet + 1;
    if (quiet >= 4) return null;
  }
  return 'never quiet';
};

/** Ends the run and judges it. */
export const finish = async (world: World): Promise<readonly string[]> => {
  const restless = await drain(world);
  for (const machine of [world.machine, world.other]) if (machine) world.leave(machine);
  const collector = await world.live();
  if (!collector) return ['the collector does not start'];
  const logs = [world.machine, world.other].flatMap((machine) => (machine ? [machine.log] : []));
  // Lines of a machine that is a copy are not the host's: nobody promises to store them.
  const copies = [world.machine, world.other].filter((machine) => machine !== null && world.discarded.has(machine.key.known.key));
  const foreign = new Set(copies.flatMap((machine) => (machine ? linesOf(machine.log) : [])));
  const broken = world.oracle.judge(collector, logs, foreign, {
    exempt: world.agentPutBack && world.collectorPutBack,
    reborn: world.other !== null && world.collectorPutBack,
    said: world.stats.unmatched > 0,
  });
  world.stats.acked = world.oracle.acked.size;
  if (world.oracle.said) world.stats.said++;
  return restless === null ? broken : [...broken, restless];
};

const linesOf = ({ rotated, current }: Log): readonly string[] => [...rotated, current].flatMap(({ lines }) => lines.map(textOf));

/** Runs a schedule. An error that no promise foresees is a broken promise too. */
export const runSchedule = async (
  actions: readonly Action[],
  onMessage: World['onMessage'] = () => undefined,
): Promise<{ readonly broken: readonly string[]; readonly stats: Stats }> => {
  const world = new World();
  world.onMessage = onMessage;
  let thrown: string | null = null;
  const onError = (error: unknown): void => {
    thrown ??= error instanceof Error ? `${error.message}` : String(error);
  };
  process.on('unhandledRejection', onError);
  try {
    for (const action of actions) await act(world, action);
    const broken = await finish(world);
    return { broken: thrown === null ? broken : [...broken, `threw: ${thrown}`], stats: world.stats };
  } catch (error) {
    return { broken: [`threw: ${error instanceof Error ? error.message : String(error)}`], stats: world.stats };
  } finally {
    process.off('unhandledRejection', onError);
  }
};
